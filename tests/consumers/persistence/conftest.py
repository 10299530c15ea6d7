"""Databases of both kinds, each test's own, and a service that writes into one."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.consumers.persistence.postgres import Postgres, started

_numbers = itertools.count(1)


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
