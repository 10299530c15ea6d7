"""A database that is locked, full or gone for a while: said once, and nothing is lost."""

import asyncio
import itertools
import logging
import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from matchbox_tui.consumers.persistence import connecting, service
from matchbox_tui.consumers.persistence import database as module
from matchbox_tui.store import Client, Server
from tests.consumers.persistence.postgres import Postgres, started
from tests.consumers.persistence.rows import check
from tests.consumers.persistence.running import Running, persisted, persisting
from tests.node.traded import mixed_orders
from tests.node.venue import QUIET, Venue
from tests.servers import OwnServer
from tests.waiting import eventually

_numbers = itertools.count(1)


def said(caplog: pytest.LogCaptureFixture, words: str) -> Callable[[], Awaitable[bool]]:
    async def look() -> bool:
        return words in caplog.text

    return look


def move(here: Path, there: Path) -> None:
    for part in here.glob("m.db*"):
        shutil.move(part, there / part.name)


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "matchbox_tui.consumers")


async def test_a_lock_of_another_program_is_waited_for(
    venue: Venue, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "WAIT_SECONDS", 0.2)
    url = f"sqlite:///{tmp_path / 'm.db'}"
    await venue.lead(settings=QUIET)
    async with persisting(venue, url) as running:
        await venue.client.submit(mixed_orders(1))
        await running.reaches(await venue.handled())
        other = sqlite3.connect(tmp_path / "m.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await venue.client.submit(mixed_orders(2))
        await eventually(said(caplog, "another program holds its lock"))
        other.execute("COMMIT")
        other.close()
        await running.reaches(await venue.handled())
    assert caplog.text.count("Persistence is held up") == 1
    assert "Persistence goes on" in caplog.text
    check(url, await venue.events())


async def test_a_lock_in_postgresql_is_waited_for(
    venue: Venue,
    postgres_url: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connecting, "WAIT_SECONDS", 1)
    await venue.lead(settings=QUIET)
    async with persisting(venue, postgres_url) as running:
        await venue.client.submit(mixed_orders(1))
        await running.reaches(await venue.handled())
        with psycopg.connect(postgres_url) as other:
            other.execute("LOCK TABLE trades")
            await venue.client.submit(mixed_orders(2))
            await eventually(said(caplog, "another program holds its lock"))
        await running.reaches(await venue.handled())
    check(postgres_url, await venue.events())


async def test_a_full_disk_is_waited_for(
    venue: Venue, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up = module._set_up_sqlite
    pages = 60

    def bounded(connection: sqlite3.Connection, record: object) -> None:
        set_up(connection, record)
        connection.execute(f"PRAGMA max_page_count = {pages}")

    # SQLite says the same of a file that may not grow as of a disk that is full.
    monkeypatch.setattr(module, "_set_up_sqlite", bounded)
    url = f"sqlite:///{tmp_path / 'm.db'}"
    await venue.lead(settings=QUIET)
    async with persisting(venue, url) as running:
        for seed in range(3):
            await venue.client.submit(mixed_orders(seed, 1000))
        await eventually(said(caplog, "the disk is full: make room there"))
        pages = 100_000
        await running.reaches(await venue.handled())
    check(url, await venue.events())


async def test_a_file_that_is_gone_is_waited_for_and_no_other_is_begun(
    venue: Venue, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, away = tmp_path / "m.db", tmp_path / "away"
    away.mkdir()
    url = f"sqlite:///{file}"
    await venue.lead(settings=QUIET)
    async with persisting(venue, url) as running:
        await venue.client.submit(mixed_orders(1))
        await running.reaches(await venue.handled())
        move(tmp_path, away)
        await venue.client.submit(mixed_orders(2))
        await eventually(said(caplog, "the file is gone: put it back"))
        assert not file.exists()
        move(away, tmp_path)
        await running.reaches(await venue.handled())
    check(url, await venue.events())


async def test_a_backup_that_is_put_in_the_file_s_place_is_caught_up(
    venue: Venue, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'm.db'}"
    away = tmp_path / "away"
    away.mkdir()
    await venue.lead(settings=QUIET)
    await venue.client.submit(mixed_orders(1))
    await persisted(venue, url)
    shutil.copy(tmp_path / "m.db", tmp_path / "backup")
    async with persisting(venue, url) as running:
        await venue.client.submit(mixed_orders(2))
        await running.reaches(await venue.handled())
        move(tmp_path, away)
        shutil.move(tmp_path / "backup", tmp_path / "m.db")
        await venue.client.submit(mixed_orders(3))
        await running.reaches(await venue.handled())
    check(url, await venue.events())


async def test_a_postgresql_that_goes_away_is_waited_for(
    venue: Venue, own_postgres: Postgres, own_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = own_postgres
    await venue.lead(settings=QUIET)
    async with persisting(venue, own_url) as running:
        await venue.client.submit(mixed_orders(1))
        await running.reaches(await venue.handled())
        await asyncio.to_thread(server.stop)
        await venue.client.submit(mixed_orders(2))
        await eventually(said(caplog, "can't reach the server: start it"))
        await asyncio.to_thread(server.start)
        await running.reaches(await venue.handled())
    check(own_url, await venue.events())


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Postgres]:
    """A server that a test may hurt, if it heals it again."""
    server = started()
    yield server
    server.remove()


@pytest.fixture
def own_url(own_postgres: Postgres) -> str:
    name = f"own_{next(_numbers)}"
    own_postgres.execute(f"CREATE DATABASE {name}")
    return own_postgres.url(name)


async def hangs(running: Running) -> None:
    """Waits until the service waits for the database."""

    async def waits() -> bool:
        return bool(running.service._database._watch._under_way)

    await eventually(waits)


async def test_a_postgresql_that_hangs_is_not_waited_for_without_end(
    venue: Venue,
    own_postgres: Postgres,
    own_url: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "HANG_SECONDS", 0.5)
    await venue.lead(settings=QUIET)
    async with persisting(venue, own_url) as running:
        await venue.client.submit(mixed_orders(1))
        await running.reaches(await venue.handled())
        own_postgres.freeze()
        await venue.client.submit(mixed_orders(2))
        await eventually(said(caplog, "no answer: look after its server, it may hang"))
        own_postgres.thaw()
        await running.reaches(await venue.handled())
    check(own_url, await venue.events())


async def test_a_copy_stops_and_hands_over_although_its_database_hangs(
    venue: Venue, own_postgres: Postgres, own_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HANG_SECONDS", 1000)
    monkeypatch.setattr(service, "STOP_SECONDS", 0.1)
    await venue.lead(settings=QUIET)
    async with persisting(venue, own_url, "one") as one:
        await venue.client.submit(mixed_orders(1))
        await one.reaches(await venue.handled())
        own_postgres.freeze()
        await venue.client.submit(mixed_orders(2))
        await hangs(one)
        await one.stop()
        holder = await venue.link.call("GET", venue.keys.consumer("persistence"))
        own_postgres.thaw()
    assert holder is None
    async with persisting(venue, own_url, "two") as two:
        await two.reaches(await venue.handled())
    check(own_url, await venue.events())


async def test_a_copy_whose_database_is_away_lets_another_one_try(
    venue: Venue, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As where one machine has lost its way to the database and another has not."""
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    theirs.symlink_to(mine)
    await venue.lead(settings=QUIET)
    async with (
        persisting(venue, f"sqlite:///{theirs / 'm.db'}", "one") as one,
        persisting(venue, f"sqlite:///{mine / 'm.db'}", "two") as two,
    ):
        await venue.client.submit(mixed_orders(1))
        await one.reaches(await venue.handled())
        theirs.unlink()
        await venue.client.submit(mixed_orders(2))
        await two.reaches(await venue.handled())
    assert "Working as persistence (two)" in caplog.text
    check(f"sqlite:///{mine / 'm.db'}", await venue.events())


async def test_a_venue_s_server_that_is_killed_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path / 'm.db'}"
    with OwnServer(tmp_path) as server:
        client = await Client.connect(server.url, "v:", "test")
        link = Server(server.url).link()
        venue = Venue(server.url, "v:", client, link)
        try:
            await venue.lead(settings=QUIET)
            async with persisting(venue, url) as running:
                await client.submit(mixed_orders(1))
                await running.reaches(await venue.handled())
                server.kill()
                await eventually(said(caplog, "Persistence is held up"))
                await asyncio.to_thread(server.start)
                await venue.leads("a")
                await client.submit(mixed_orders(2))
                await running.reaches(await venue.handled())
            check(url, await venue.events())
        finally:
            await venue.stop()
            await client.close()
            await link.close()
