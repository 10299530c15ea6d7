"""The chapter of docs/consumers.md for foreign consumers is executed, and does what it says."""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests import kinds
from tests.cli.command import environment
from tests.cli.venue import Venue
from tests.servers import OwnServer
from tests.test_docs_api import _conversation, _timeless
from tests.waiting import soon

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "consumers.md"
CHAPTER = PAGE.read_text().partition("\n## A consumer of your own\n")[2].partition("\n## ")[0]
STREAM, GROUP = "events_stream", "ledger"


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", CHAPTER, re.MULTILINE | re.DOTALL)


def _redis_cli() -> str:
    """The program's path. Skips the test, saying why, where there is none."""
    beside = Path(kinds.program(kinds.REDIS_6)).parent if kinds.is_here(kinds.REDIS_6) else Path()
    for name in ("redis-cli", "valkey-cli"):
        for found in (shutil.which(name), str(beside / name)):
            if found is not None and os.access(found, os.X_OK):
                return found
    pytest.skip("no redis-cli and no valkey-cli here (Debian: apt-get install redis-tools)")


class Desk:
    """A venue without a key prefix on a server of its own, and readers of its fills."""

    def __init__(self, server: OwnServer, directory: Path) -> None:
        self.server = server
        self.venue = Venue(server.url, "")
        self.directory = directory
        self.redis: Any = redis.Redis(
            unix_socket_path=str(server.socket), decode_responses=True, protocol=2
        )
        self.program = directory / "ledger.py"
        self.program.write_text(_blocks("python")[0])
        self._running: list[subprocess.Popen[bytes]] = []

    def trade(self, times: int) -> None:
        """So many fills, which are in the stream then."""
        before = self.redis.xlen(STREAM)
        for _ in range(times):
            self.venue.call("sell", "1", "50", "--trader", "ann")
            self.venue.call("buy", "1", "50", "--trader", "bob")
        soon(lambda: self.redis.xlen(STREAM), (before + times).__eq__)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, self.program, name],
            cwd=self.directory,
            env=environment({"REDIS_URL": self.server.url}),
            stderr=subprocess.DEVNULL,
        )
        self._running.append(process)
        return process

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def published(self) -> list[tuple[str, str]]:
        return [(key, fields["event"]) for key, fields in self.redis.xrange(STREAM)]

    def written(self) -> list[tuple[str, str]]:
        """What is in the ledger, in its order there."""
        with contextlib.closing(sqlite3.connect(self.directory / "ledger.db")) as ledger:
            try:
                return ledger.execute("SELECT id, event FROM fills ORDER BY rowid").fetchall()
            except sqlite3.OperationalError:
                return []

    def ids(self) -> set[str]:
        return {key for key, _ in self.published()}

    def done(self) -> set[str]:
        """The fills that are in the ledger, and under work no more."""
        waiting = self.redis.xpending_range(STREAM, GROUP, "-", "+", 100)
        return {key for key, _ in self.written()} - {entry["message_id"] for entry in waiting}

    def is_done(self) -> bool:
        """Whether each fill is in the ledger once, and none is under work any more."""
        return (
            sorted(self.written()) == sorted(self.published())
            and self.redis.xpending(STREAM, GROUP)["pending"] == 0
        )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with (
        tempfile.TemporaryDirectory(prefix="mb", dir="/tmp") as short,
        OwnServer(Path(short)) as server,
    ):
        here = Desk(server, tmp_path)
        with here.venue.engine():
            soon(lambda: here.redis.exists("engine:leader"))
            yield here
            here.stop()


def test_the_program_is_short() -> None:
    (program,) = _blocks("python")
    assert len(program.splitlines()) < 40


def test_what_an_earlier_run_and_a_dead_colleague_left_is_taken_up_once(desk: Desk) -> None:
    desk.trade(5)
    desk.redis.xgroup_create(STREAM, GROUP, "0")
    # One was killed with two fills in hand, of which the first is in the ledger.
    mine = desk.redis.xreadgroup(GROUP, "one", {STREAM: ">"}, count=2)[0][1]
    with contextlib.closing(sqlite3.connect(desk.directory / "ledger.db")) as ledger:
        ledger.execute("CREATE TABLE fills (id TEXT PRIMARY KEY, event TEXT)")
        ledger.execute("INSERT INTO fills VALUES (?, ?)", (mine[0][0], mine[0][1]["event"]))
        ledger.commit()
    # Two others have one each.
    ((_, ((left, _),)),) = desk.redis.xreadgroup(GROUP, "gone", {STREAM: ">"}, count=1)
    ((_, ((busy, _),)),) = desk.redis.xreadgroup(GROUP, "busy", {STREAM: ">"}, count=1)
    desk.start("one")
    soon(desk.done, (desk.ids() - {left, busy}).__eq__)
    # The one of them has been gone for an hour.
    desk.redis.xclaim(STREAM, GROUP, "gone", 0, [left], idle=3_600_000)
    soon(desk.done, (desk.ids() - {busy}).__eq__)
    desk.start("busy")
    soon(desk.is_done)


def test_a_reader_that_is_killed_and_started_again_misses_nothing(desk: Desk) -> None:
    first = desk.start("one")
    desk.trade(2)
    soon(desk.is_done)
    first.send_signal(signal.SIGKILL)
    first.wait()
    desk.trade(2)
    assert len(desk.written()) == 2
    desk.start("one")
    soon(desk.is_done)
    assert len(desk.written()) == 4


def test_the_server_may_go_away_and_come_back(desk: Desk) -> None:
    reader = desk.start("one")
    desk.trade(2)
    soon(desk.is_done)
    desk.server.kill()
    desk.server.start()
    desk.trade(2)
    soon(desk.is_done)
    assert reader.poll() is None
    # A group that was removed is made again, and what is known by its id is not there twice.
    desk.redis.xgroup_destroy(STREAM, GROUP)
    desk.trade(1)
    soon(lambda: desk.redis.xinfo_groups(STREAM))
    soon(desk.is_done)
    assert len(desk.written()) == 5
    assert reader.poll() is None


def test_by_redis_cli(desk: Desk, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, words in (
        ("redis-cli", f'"{_redis_cli()}" -s "{desk.server.socket}"'),
        ("matchbox", f'"{sys.executable}" -m matchbox_tui'),
    ):
        (tools / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        (tools / name).chmod(0o755)
    env = environment(desk.venue.env)
    env["PATH"] = f"{tools}{os.pathsep}{env['PATH']}"
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), *sys.path])
    done = []
    for command, shown in _conversation(_blocks("console")[0]):
        done.append(command)
        if "XREADGROUP" in command:
            soon(lambda: desk.redis.xlen(STREAM))
        ran = subprocess.run(
            ["sh", "-c", command], capture_output=True, text=True, timeout=30, env=env, check=True
        )
        assert _timeless(ran.stdout) == shown, command
    for word in ("XGROUP CREATE", "XREADGROUP", "XACK", "XPENDING", "XAUTOCLAIM"):
        assert any(word in command for command in done), word
    assert json.loads(desk.published()[0][1])["trade_id"] == desk.published()[0][0]
