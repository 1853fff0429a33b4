"""What tests share: real processes on free ports, ended by their own ids."""

from typing import Final

QUIET_TRIGGER: Final = "2s"
"""TRIGGER_INTERVAL where freshness doesn't matter.

On cores that other tests need too, batches would follow each other without a pause.
"""
