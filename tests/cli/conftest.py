"""A running venue for the commands, and a market in it for each test."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from matchbox_tui.store import EmbeddedServer
from tests.cli.venue import Venue, fresh_market, running
from tests.places import SHORT


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that the machine sets may steer the commands."""
    for name in list(os.environ):
        if name.startswith("MATCHBOX_") or name in ("REDIS_URL", "DATABASE_URL", "LOG_LEVEL"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def venue(server: EmbeddedServer) -> Iterator[Venue]:
    with running(server.url, f"cli{os.getpid()}:") as started:
        yield started


@pytest.fixture
def market() -> str:
    return fresh_market()


@pytest.fixture
def server_dir() -> Iterator[Path]:
    """A directory with a name short enough for the path of a socket in it."""
    with tempfile.TemporaryDirectory(prefix="mb", dir=SHORT) as name:
        yield Path(name)
