"""Folders that a process may not enter or write to, also where the tests are run by root."""

import os
from typing import Final

AS_ANYBODY: Final = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
"""Before a command: root may do anything with any folder, unless it is without these capabilities."""
