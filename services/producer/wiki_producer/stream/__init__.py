"""Reading the stream: one connection, when to connect again, and from which position on."""
