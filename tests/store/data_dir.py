"""Data directories with snapshot files: written, read and looked at."""

from pathlib import Path

from matchbox_tui.engine import (
    Exchange,
)
from matchbox_tui.store import Base, Header, SnapshotFiles
from tests.store.states import grown

Directory = dict[str, bytes]


def file_head(exchange: Exchange, chain: str = "c") -> Header:
    return Header(exchange.seq, chain, 3, 77, 1_700_000_000_000)


async def write_files(data_dir: Path, exchange: Exchange, chain: str = "c") -> None:
    assert await SnapshotFiles(data_dir).write(file_head(exchange, chain), exchange)


async def found_files(data_dir: Path) -> list[Base]:
    return [base async for base in SnapshotFiles(data_dir).bases()]


async def found_seqs(data_dir: Path) -> list[int]:
    return [base.replica.seq for base in await found_files(data_dir)]


def file_names(data_dir: Path) -> list[str]:
    return sorted(path.name for path in (data_dir / "snapshots").iterdir() if path.name != ".lock")


def file_path(data_dir: Path, name: str = "MAIN.json") -> Path:
    return data_dir / "snapshots" / name


def content_of(data_dir: Path) -> Directory:
    return {path.name: path.read_bytes() for path in (data_dir / "snapshots").iterdir()}


def put_content(data_dir: Path, state: Directory) -> None:
    (data_dir / "snapshots").mkdir(parents=True)
    for name, raw in state.items():
        file_path(data_dir, name).write_bytes(raw)


async def check_whole(data_dir: Path, at_least: int) -> int:
    """The newest usable snapshot's sequence; whatever is usable is right."""
    bases = await found_files(data_dir)
    for base in bases:
        expected = grown(base.replica.seq).state_hash()
        assert base.replica.exchange.state_hash() == expected
    newest = max((base.replica.seq for base in bases), default=0)
    assert newest >= at_least
    return newest
