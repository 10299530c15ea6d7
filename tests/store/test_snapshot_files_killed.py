"""Snapshot files through kills: at any moment one snapshot is whole."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from matchbox_tui.engine import (
    Exchange,
)
from matchbox_tui.store import SnapshotFiles, snapshot_files
from tests.store.data_dir import (
    Directory,
    check_whole,
    content_of,
    file_path,
    found_seqs,
    put_content,
    write_files,
)
from tests.store.states import grown


def _writing(
    data_dir: Path, exchange: Exchange, chain: str = "c"
) -> Callable[[], Coroutine[Any, Any, None]]:
    async def write() -> None:
        await write_files(data_dir, exchange, chain)

    return write


async def _states_of(
    data_dir: Path,
    write: Callable[[], Coroutine[Any, Any, None]],
    monkeypatch: pytest.MonkeyPatch,
) -> list[Directory]:
    """The directory at every moment of a write at which a kill could leave it."""
    states: list[Directory] = []

    def look() -> None:
        if not states or states[-1] != content_of(data_dir):
            states.append(content_of(data_dir))

    def watched(do: Callable[..., Any]) -> Callable[..., Any]:
        def done(*args: Any, **more: Any) -> Any:
            look()
            try:
                return do(*args, **more)
            finally:
                look()

        return done

    with monkeypatch.context() as patch:
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, watched(getattr(Path, name)))
        patch.setattr(os, "fsync", watched(os.fsync))
        patch.setattr(snapshot_files, "WRITE_BYTES", 1)
        await write()
    look()
    return states


async def _kill_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int, first: Directory
) -> int:
    """Writes from every state that a kill leaves, so many kills in a row; how many states."""
    seen = 0
    states = [(first, 10)]
    for kill in range(kills):
        after: dict[tuple[tuple[str, bytes], ...], int] = {}
        for number, (state, whole) in enumerate(states):
            data_dir = tmp_path / f"{kill}-{number}"
            put_content(data_dir, state)
            write = _writing(data_dir, grown(20 + 10 * kill))
            for left in await _states_of(data_dir, write, monkeypatch):
                copy = tmp_path / f"{kill}-{number}-left"
                put_content(copy, left)
                after[tuple(sorted(left.items()))] = await check_whole(copy, whole)
                for path in sorted((copy / "snapshots").iterdir()):
                    path.unlink()
                (copy / "snapshots").rmdir()
            assert await found_seqs(data_dir) >= [20 + 10 * kill]
        states = [(dict(items), whole) for items, whole in after.items()]
        seen += len(states)
    return seen


async def test_a_kill_at_any_point_leaves_one_whole_snapshot_however_often_it_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write_files(tmp_path, grown(10))
    assert await _kill_again_and_again(tmp_path, monkeypatch, 3, content_of(tmp_path)) > 40


async def test_if_the_one_in_place_always_became_the_previous_two_kills_would_leave_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Anything:
        def __eq__(self, other: object) -> bool:
            return True

    await write_files(tmp_path, grown(10))
    monkeypatch.setattr(SnapshotFiles, "_whole", lambda self: Anything())
    with pytest.raises(AssertionError):
        await _kill_again_and_again(tmp_path, monkeypatch, 2, content_of(tmp_path))


async def test_a_torn_file_in_place_does_not_take_the_place_of_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for orders in (10, 20):
        await write_files(tmp_path, grown(orders))
    raw = file_path(tmp_path).read_bytes()
    for spoil in (raw[:-30], raw.replace(b'"userId":"t1"', b'"userId":"t2"')):
        file_path(tmp_path).write_bytes(spoil)
        before = content_of(tmp_path)
        states = await _states_of(tmp_path, _writing(tmp_path, grown(30)), monkeypatch)
        for number, state in enumerate(states):
            copy = tmp_path / f"{len(spoil)}-{number}"
            put_content(copy, state)
            await check_whole(copy, 10)
        for path in (tmp_path / "snapshots").iterdir():
            path.unlink()
        for name, content in before.items():
            file_path(tmp_path, name).write_bytes(content)


async def test_a_write_that_is_dropped_at_any_await_leaves_one_whole_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def to_thread(do: Callable[..., Any], *args: Any) -> Any:
        await asyncio.sleep(0)
        return do(*args)

    monkeypatch.setattr(asyncio, "to_thread", to_thread)
    monkeypatch.setattr(snapshot_files, "WRITE_BYTES", 200)
    await write_files(tmp_path, grown(10))
    dropped, newest = 0, 10
    while True:
        writing = asyncio.ensure_future(write_files(tmp_path, grown(newest + 10)))
        for _ in range(dropped):
            await asyncio.sleep(0)
        if not writing.cancel():
            break
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert not list((tmp_path / "snapshots").glob("*.draft"))
        newest = await check_whole(tmp_path, newest)
        dropped += 1
    assert dropped > 20
    await writing
    await check_whole(tmp_path, newest + 10)


WRITER = """
import asyncio, sys
from pathlib import Path
from matchbox_tui.store import SnapshotFiles
from tests.store.states import grown
from tests.store.data_dir import file_head

async def main():
    files = SnapshotFiles(Path(sys.argv[1]))
    orders = int(sys.argv[2])
    while True:
        orders += 1
        exchange = grown(orders)
        assert await files.write(file_head(exchange), exchange)
        print(orders, flush=True)

asyncio.run(main())
"""


async def test_a_writer_that_is_killed_again_and_again_leaves_what_it_had_written(
    tmp_path: Path,
) -> None:
    chance = random.Random(4)
    newest = 0
    for _ in range(3):
        writer = subprocess.Popen(  # noqa: ASYNC220  # nothing else happens meanwhile
            [sys.executable, "-c", WRITER, str(tmp_path), str(newest + 200)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.getcwd()},
        )
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(3)]
        await asyncio.sleep(chance.random() * 0.05)
        writer.send_signal(signal.SIGKILL)
        said += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        newest = await check_whole(tmp_path, int([line for line in said if line][-1]))


async def test_a_history_that_was_set_back_does_not_cost_the_new_one_s_snapshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lost history's files have the higher sequence, but are of no use any more."""
    await write_files(tmp_path, grown(90), "lost")
    await write_files(tmp_path, grown(10), "new")
    assert await found_seqs(tmp_path) == [90, 10]
    states = await _states_of(tmp_path, _writing(tmp_path, grown(20), "new"), monkeypatch)
    for number, state in enumerate(states):
        put_content(tmp_path / str(number), state)
        assert set(await found_seqs(tmp_path / str(number))) & {10, 20}
