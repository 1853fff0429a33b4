"""Where the volume's files lie: below a folder of this machine, or below a prefix of an object store."""
