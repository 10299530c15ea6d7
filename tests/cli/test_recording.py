"""`matchbox play --record`: the database has all that happened, however the market ends."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from matchbox_tui.cli.recording import recording_database, without_password
from matchbox_tui.consumers.persistence.service import BATCH_EVENTS
from matchbox_tui.engine import Event
from matchbox_tui.store import Client, Keys, Server
from tests.cli.processes import Marked
from tests.cli.terminal import Terminal
from tests.consumers.persistence.rows import check, read
from tests.waiting import soon

QUICK = ("--rate", "1000", "--instances", "1", "--markets", "RAIN")
HEADLESS = ("--headless", "--json", "--record", *QUICK)


@pytest.fixture
def marked(tmp_path: Path) -> Iterator[Marked]:
    with Marked({"XDG_DATA_HOME": str(tmp_path)}) as started:
        yield started


def recorded_in(words: str) -> str:
    """The database that is named at the end, which is the one that was named at the start."""
    begin, end = re.search(r"Recording in (\S+)", words), re.search(r"Recorded in (\S+):", words)
    assert begin is not None, words
    assert end is not None, words
    assert begin[1] == end[1]
    return end[1]


def pid_of(marked: Marked, word: str) -> int:
    """The one process with this word in its command line."""
    (pid,) = soon(
        lambda: [pid for pid, line in marked.processes().items() if word in line.split()],
        lambda found: len(found) == 1,
    )
    return pid


def start_headless(marked: Marked, *options: str) -> "tuple[subprocess.Popen[str], str]":
    """A market that trades, and what it has said so far."""
    process = marked.start(*HEADLESS, "--duration", "300", *options)
    assert process.stderr is not None
    said = ""
    while not re.search(r"fills [1-9]", said):
        line = process.stderr.readline()
        assert line, said
        said += line
    return process, said


def commands_in(said: str) -> int:
    """As the last status line counts them."""
    return int(re.findall(r"commands ([0-9]+)", said)[-1])


def agrees(database: str, out: str) -> None:
    """The database has as many orders, trades and contracts as the summary."""
    summary = json.loads(out)
    trades = read(database, "trades")
    assert summary["errors"] == []
    assert len(trades) == summary["fills"] > 0
    assert sum(trade["qty"] for trade in trades) == summary["traded"]
    assert len(read(database, "orders")) == summary["orders"]


async def journal(url: str, prefix: str) -> tuple[list[Event], int, int]:
    """All events, the last command's number, and how far the posted figures are."""
    client = await Client.connect(url, prefix)
    try:
        tip, events = (await client.cluster()).seq, list[Event]()
        while not events or events[-1].seq < tip:
            for entry in await client.entries_after(events[-1].seq if events else 0, 256):
                events += entry.events
        found = await client.analytics.stats("RAIN")
        return events, tip, found[0].sequence if found is not None else -1
    finally:
        await client.close()


def test_all_of_the_journal_is_recorded_on_a_venue_that_stays(
    url: str, prefix: str, tmp_path: Path
) -> None:
    env = {"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix, "XDG_DATA_HOME": str(tmp_path)}
    with Marked(env) as marked:
        with Terminal(["play", "--record", *QUICK], marked.env) as terminal:
            terminal.await_words("● live")
            os.kill(pid_of(marked, "analytics"), signal.SIGKILL)
            terminal.await_words("analytics ended: killed by SIGKILL")
            terminal.await_words("analytics is started again")
            terminal.press(b"y")
            terminal.await_words("vwap")
            # At the end there is nobody who could be asked to read what is left.
            os.kill(pid_of(marked, "persistence"), signal.SIGKILL)
            terminal.press(b"q")
            assert terminal.wait() == 0
            database = recorded_in(terminal.words())
        marked.leave_nothing()
    assert database == f"sqlite:///{tmp_path}/matchbox/matchbox.db"
    events, tip, posted = asyncio.run(journal(url, prefix))
    check(database, events)
    assert read(database, "position")[0]["seq"] == posted == tip


def test_services_that_die_are_started_again_and_nothing_is_missing(marked: Marked) -> None:
    process, said = start_headless(marked, "--rate", "2000")
    os.kill(pid_of(marked, "persistence"), signal.SIGKILL)
    assert process.stderr is not None
    while "persistence is started again" not in said:
        said += process.stderr.readline()
    assert "persistence ended: killed by SIGKILL (it is started again in 1 s)" in said
    database = re.findall(r"Recording in (\S+)", said)[0]
    known = read(database, "position")
    soon(lambda: read(database, "position") != known)
    # At the end it is behind by more than it reads at once.
    os.kill(pid_of(marked, "persistence"), signal.SIGSTOP)
    before = commands_in(said)
    while commands_in(said) < before + BATCH_EVENTS:
        said += process.stderr.readline()
    os.kill(pid_of(marked, "analytics"), signal.SIGKILL)
    os.kill(process.pid, signal.SIGTERM)
    out, rest = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert recorded_in(said + rest) == database
    agrees(database, out)
    marked.leave_nothing()


def test_a_second_interruption_does_not_wait_for_what_is_left(
    marked: Marked, tmp_path: Path
) -> None:
    file = tmp_path / "it.db"
    process, _ = start_headless(marked, "--database-url", f"sqlite:///{file}")
    with sqlite3.connect(file, isolation_level=None) as holder:
        holder.execute("BEGIN IMMEDIATE")
        os.kill(process.pid, signal.SIGINT)
        assert process.stderr is not None
        line = ""
        while "Waiting for persistence" not in line:
            line = process.stderr.readline()
            assert line
        os.kill(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
        holder.execute("ROLLBACK")
    assert process.returncode == 130
    marked.leave_nothing()


def test_a_venue_that_somebody_else_records(url: str, prefix: str, tmp_path: Path) -> None:
    asyncio.run(set_key(url, Keys(prefix).consumer("persistence"), "their-copy"))
    env = {"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix, "XDG_DATA_HOME": str(tmp_path)}
    with Marked(env) as marked:
        process = marked.start(*HEADLESS, "--duration", "1")
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        marked.leave_nothing()
    assert "their-copy records this venue, where it was told to" in err
    assert "Recorded" not in err


def test_one_that_takes_over_from_somebody_else_reads_to_the_end(
    url: str, prefix: str, tmp_path: Path
) -> None:
    turn, database = Keys(prefix).consumer("persistence"), f"sqlite:///{tmp_path}/it.db"
    asyncio.run(set_key(url, turn, "their-copy"))
    env = {"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix, "DATABASE_URL": database}
    with Marked(env) as marked:
        process, said = start_headless(marked)
        assert "their-copy records this venue" in said
        asyncio.run(set_key(url, turn, None))
        soon(lambda: read(database, "trades"))
        os.kill(pid_of(marked, "persistence"), signal.SIGSTOP)
        before = commands_in(said)
        assert process.stderr is not None
        while commands_in(said) < before + 100:
            said += process.stderr.readline()
        os.kill(pid_of(marked, "persistence"), signal.SIGKILL)
        os.kill(process.pid, signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        agrees(database, out)
        marked.leave_nothing()


async def set_key(url: str, key: str, value: str | None) -> None:
    link = Server(url).link()
    try:
        await (link.call("SET", key, value) if value else link.call("DEL", key))
    finally:
        await link.close()


def test_a_database_that_can_not_be_used_ends_it(marked: Marked) -> None:
    where = "postgresql://me:secret@127.0.0.1:1/none"
    process = marked.start(*HEADLESS, "--database-url", "sqlite:////no/such/place/it.db")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (3, "")
    assert "its directory is there" in err.splitlines()[-1]
    assert "Record" not in err
    marked.leave_nothing()
    assert without_password(where) == "postgresql://127.0.0.1:1/none"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////a/b@c.db", "sqlite:////a/b@c.db"),
        ("sqlite:///matchbox.db", "sqlite:///matchbox.db"),
        ("postgresql://me:se/cr@et@host:5432/name?password=x", "postgresql://host:5432/name"),
        ("postgresql://host/name", "postgresql://host/name"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_only_a_private_market_that_is_not_kept_has_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    common = f"sqlite:///{tmp_path}/matchbox/matchbox.db"
    assert recording_database("", None, private=False) == common
    assert recording_database("", tmp_path, private=True) == f"sqlite:///{tmp_path}/matchbox.db"
    assert recording_database("postgresql://h/n", None, private=True) == "postgresql://h/n"
    own = recording_database("", None, private=True)
    assert re.fullmatch(rf"sqlite:///{tmp_path}/matchbox/play-[0-9]+-[0-9]+-{os.getpid()}\.db", own)
