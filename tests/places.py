"""Where servers of tests keep what they store."""

import shutil
from pathlib import Path

_MEMORY = Path("/dev/shm")
_ROOM = 1 << 30


def _short() -> str:
    """In memory where there is room: a server waits for its disk at every write, and a busy disk
    can take seconds. The path is short, since that of a unix socket goes below it.
    """
    try:
        return str(_MEMORY) if shutil.disk_usage(_MEMORY).free > _ROOM else "/tmp"
    except OSError:
        return "/tmp"


SHORT = _short()
"""A directory to make directories in. What a power failure would leave is no test's question."""
