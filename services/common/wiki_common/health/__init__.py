"""How a service says whether it is well: the server that answers, and the probe that asks."""
