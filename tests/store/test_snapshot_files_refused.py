"""Snapshot files that are torn, altered or strange, and directories that take none."""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import resource
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from matchbox_tui.store import SnapshotFiles, snapshot_files
from tests.store.data_dir import (
    check_whole,
    content_of,
    file_head,
    file_names,
    file_path,
    found_seqs,
    write_files,
)
from tests.store.states import grown

# Torn, altered, strange


@pytest.mark.parametrize("size", [0, 1, 100, 400, 0.5, -25, -10, -2, -1])
async def test_a_torn_file_is_skipped(
    tmp_path: Path, size: float, caplog: pytest.LogCaptureFixture
) -> None:
    for orders in (10, 20):
        await write_files(tmp_path, grown(orders))
    raw = file_path(tmp_path).read_bytes()
    cut = int(len(raw) * size) if size == 0.5 else int(size)
    file_path(tmp_path).write_bytes(raw[:cut])
    caplog.set_level(logging.WARNING)
    assert await found_seqs(tmp_path) == [10]
    assert "can't be used" in caplog.text
    file_path(tmp_path, "MAIN.json.previous").unlink()
    assert await found_seqs(tmp_path) == []


async def test_a_torn_only_file_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    await write_files(tmp_path, grown(10, ("MAIN",)))
    raw = file_path(tmp_path).read_bytes()
    for cut, words in ((50, "torn, altered or no snapshot file"), (-5, "MAIN.json: it is torn")):
        caplog.clear()
        file_path(tmp_path).write_bytes(raw[:cut])
        assert await found_seqs(tmp_path) == []
        assert words in caplog.text


async def test_a_byte_altered_anywhere_is_recognised(tmp_path: Path) -> None:
    for orders in (10, 20):
        await write_files(tmp_path, grown(orders))
    raw = file_path(tmp_path).read_bytes()
    for at in range(0, len(raw), 23):
        altered = bytearray(raw)
        altered[at] ^= 1 << (at % 7)
        file_path(tmp_path).write_bytes(altered)
        assert await found_seqs(tmp_path) == [10]


def _sealed(told: dict[str, Any]) -> bytes:
    told.pop("crc32")
    before = msgspec.json.encode(told)[:-1]
    return before + b',"crc32":%d}\n' % zlib.crc32(before)


@pytest.mark.parametrize("version", [0, 3, 2**70])
async def test_a_file_of_an_unknown_version_is_skipped_with_the_reason(
    tmp_path: Path, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    for orders in (10, 20):
        await write_files(tmp_path, grown(orders))
    told = json.loads(file_path(tmp_path).read_bytes())
    file_path(tmp_path).write_bytes(_sealed({**told, "version": version}))
    assert await found_seqs(tmp_path) == [10]
    assert f"MAIN.json: it has version {version}, this program reads up to 2" in caplog.text


async def test_a_sealed_file_that_contradicts_itself_is_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await write_files(tmp_path, grown(10, ("MAIN",)))
    told = json.loads(file_path(tmp_path).read_bytes())
    told["orderBook"]["bids"] *= 2
    file_path(tmp_path).write_bytes(_sealed(told))
    assert await found_seqs(tmp_path) == []
    assert "contradicts itself (order 10 is there twice)" in caplog.text


async def test_other_files_in_the_directory_are_left_alone(tmp_path: Path) -> None:
    for orders in (10, 20):
        await write_files(tmp_path, grown(orders))
    strays = {
        "notes.txt": b"mine",
        "notes.draft": b"mine",
        "list.json": b"[1,2]",
        "text.json.previous": b"\xff\xfe",
        "almost.json": b'{"version":2,"market":"MAIN","engineSequence":99}',
    }
    for name, raw in strays.items():
        file_path(tmp_path, name).write_bytes(raw)
    file_path(tmp_path, "directory.json").mkdir()
    file_path(tmp_path, "nowhere.json").symlink_to(tmp_path / "nowhere")
    assert await found_seqs(tmp_path) == [20, 10]
    assert SnapshotFiles(tmp_path).newest_place() == 20
    await write_files(tmp_path, grown(30))
    assert await found_seqs(tmp_path) == [30, 20]
    assert {name: file_path(tmp_path, name).read_bytes() for name in strays} == strays


async def test_where_there_is_no_directory_there_are_no_snapshots(tmp_path: Path) -> None:
    assert await found_seqs(tmp_path / "nowhere") == []
    assert SnapshotFiles(tmp_path / "nowhere").newest_place() == 0


# Others, and disks


async def test_while_one_writes_another_does_nothing(tmp_path: Path) -> None:
    files = SnapshotFiles(tmp_path)
    await write_files(tmp_path, grown(10))
    with file_path(tmp_path, ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = content_of(tmp_path)
        assert not await files.write(file_head(grown(20)), grown(20))
        assert content_of(tmp_path) == before
        # Readers need no lock.
        assert await found_seqs(tmp_path) == [10]
    assert await files.write(file_head(grown(20)), grown(20))


async def test_without_the_lock_two_at_once_would_be_in_each_other_s_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def open_to_all(path: Path) -> Iterator[bool]:
        yield True

    async def both() -> list[Any]:
        return await asyncio.gather(
            *(SnapshotFiles(tmp_path).write(file_head(grown(n)), grown(n)) for n in (20, 30)),
            return_exceptions=True,
        )

    await write_files(tmp_path, grown(10))
    assert sorted(await both()) == [False, True]
    await check_whole(tmp_path, 20)
    monkeypatch.setattr(snapshot_files, "_locked", open_to_all)
    assert any(isinstance(end, OSError) for end in await both()) or await found_seqs(tmp_path) == []


async def test_a_lock_that_can_t_be_had_at_all_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with pytest.raises(OSError, match="not supported"):
        await SnapshotFiles(tmp_path).write(file_head(grown(10)), grown(10))


async def test_a_full_disk_costs_nothing_that_was_there(tmp_path: Path) -> None:
    await write_files(tmp_path, grown(10))
    file_path(tmp_path, "RAIN.json.draft").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        await write_files(tmp_path, grown(20))
    assert file_names(tmp_path) == ["MAIN.json", "RAIN.json"]
    assert await found_seqs(tmp_path) == [10]
    await write_files(tmp_path, grown(20))
    assert await found_seqs(tmp_path) == [20, 10]


async def test_a_disk_that_takes_only_half_a_file_costs_nothing_that_was_there(
    tmp_path: Path,
) -> None:
    await write_files(tmp_path, grown(10))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            await write_files(tmp_path, grown(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert file_names(tmp_path) == ["MAIN.json", "RAIN.json"]
    assert await found_seqs(tmp_path) == [10]


@contextlib.contextmanager
def _read_only(directory: Path) -> Iterator[None]:
    """Nobody may write there; not even root, who acts as somebody else for that time."""
    root = os.geteuid() == 0
    mode = directory.stat().st_mode
    directory.chmod(0o555)
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        directory.chmod(mode)


async def test_a_directory_that_can_t_be_written_is_an_error(tmp_path: Path) -> None:
    await write_files(tmp_path, grown(10))
    with _read_only(tmp_path / "snapshots"), pytest.raises(PermissionError):
        await write_files(tmp_path, grown(20))
    assert await found_seqs(tmp_path) == [10]


async def test_a_file_in_the_way_of_the_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "snapshots").write_text("in the way")
    with pytest.raises(FileExistsError):
        await write_files(tmp_path, grown(10))
    assert await found_seqs(tmp_path) == []


async def test_drafts_that_a_killed_writer_left_are_removed(tmp_path: Path) -> None:
    await write_files(tmp_path, grown(10))
    for name in ("MAIN.json.draft", "GONE.json.draft"):
        file_path(tmp_path, name).write_bytes(b"half")
    assert await found_seqs(tmp_path) == [10]
    await write_files(tmp_path, grown(20))
    assert not [name for name in file_names(tmp_path) if name.endswith(".draft")]
    assert await found_seqs(tmp_path) == [20, 10]
