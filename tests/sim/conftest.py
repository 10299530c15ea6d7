"""A directory for a server that a test starts and stops."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places import SHORT


@pytest.fixture
def server_dir() -> Iterator[Path]:
    """A directory with a name short enough for the path of a socket in it."""
    with tempfile.TemporaryDirectory(prefix="mb", dir=SHORT) as name:
        yield Path(name)
