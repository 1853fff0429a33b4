"""What the doctors of all services share: findings, the command that prints them, checks of the machine."""
