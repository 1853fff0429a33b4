"""The query's checkpoint: what it says, who may write, and how to begin a new one."""
