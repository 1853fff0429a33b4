"""What must be the same in every service: settings, logs, health, Kafka's login, the volume's layout."""

from typing import Final

VERSION: Final = "1.1.0"
"""The project's version. compose.yaml repeats it for the images' labels; a test compares the two."""
