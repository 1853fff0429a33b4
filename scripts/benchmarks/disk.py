"""What lies on the disk."""

import subprocess
from pathlib import Path


def size(folder: Path) -> int:
    """Bytes of the disk below `folder`; what is deleted meanwhile counts as far as it was seen."""
    run = subprocess.run(
        ["du", "-sk", folder], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return int(run.stdout.split()[0]) * 1024
