"""A venue with an engine on the test's loop, for consumers of its journal, and databases."""

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from matchbox_tui.store import Client, Link
from tests.consumers.persistence.postgres import Postgres, started
from tests.node.venue import Venue

_numbers = itertools.count(1)


@pytest.fixture
async def venue(
    url: str, prefix: str, client: Client, link: Link, unsynced: None
) -> AsyncIterator[Venue]:
    made = Venue(url, prefix, client, link)
    yield made
    for instance in made.instances.values():
        if not instance.task.done():
            await instance.crash()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = started()
    yield server
    server.remove()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'matchbox.db'}"


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    name = f"t{os.getpid()}_{next(_numbers)}"
    postgres.execute(f"CREATE DATABASE {name}")
    return postgres.url(name)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
