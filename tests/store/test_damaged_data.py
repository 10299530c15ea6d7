"""A data directory that the embedded server can't read: what is wrong and what helps, in a line."""

import asyncio
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from matchbox_tui.store import Client, EmbeddedServer, Unusable
from tests.store.build import buy

ORDERS = 20


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Where a market was that got some orders."""

    async def trade(url: str) -> None:
        client = await Client.connect(url)
        for _ in range(ORDERS):
            await client.submit([buy()])
        await client.close()

    with EmbeddedServer(tmp_path) as server:
        asyncio.run(trade(server.url))
    return tmp_path


def _file(data_dir: Path, pattern: str) -> Path:
    (file,) = (data_dir / "server" / "appendonlydir").glob(pattern)
    return file


def _refused(data_dir: Path) -> str:
    """Why the server doesn't start."""
    server = EmbeddedServer(data_dir)
    with pytest.raises(Unusable) as caught:
        server.start()
    assert not server.directory.exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _orders(data_dir: Path) -> int:
    """How many orders are there, if the server starts."""

    async def next_id(url: str) -> int:
        client = await Client.connect(url)
        (number,) = await client.submit([buy()])
        await client.close()
        return number

    with EmbeddedServer(data_dir) as server:
        return asyncio.run(next_id(server.url)) - 1


def _missing_bytes(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + data[middle + 5 :]


def _huge_length(data: bytes) -> bytes:
    middle = data.index(b"$", len(data) // 2)
    return data[: middle + 1] + b"9999999999999" + data[middle + 1 :]


def _zeros(data: bytes) -> bytes:
    middle = data.index(b"*", len(data) // 2)
    return data[:middle] + bytes(512) + data[middle + 512 :]


@pytest.mark.parametrize("damage", [_missing_bytes, _zeros])
def test_damage_in_the_middle_is_told_with_a_way_out_that_works(
    data_dir: Path, damage: Callable[[bytes], bytes]
) -> None:
    file = _file(data_dir, "*.incr.aof")
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    said = _refused(data_dir)
    assert re.search(rf"{file} can be read up to byte \d+ of \d+: put a backup in its place", said)
    subprocess.run(shlex.split(said[said.index("truncate -s") :]), check=True)
    assert whole.startswith(file.read_bytes())
    assert ORDERS // 4 < _orders(data_dir) < ORDERS


def test_a_torn_end_is_read_up_to_where_it_tore(data_dir: Path) -> None:
    file = _file(data_dir, "*.incr.aof")
    file.write_bytes(file.read_bytes()[:-3])
    assert _orders(data_dir) == ORDERS - 1


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("*.base.rdb", lambda data: b"nonsense"),
        ("*.manifest", lambda data: b"nonsense\n"),
        ("*.incr.aof", _huge_length),
    ],
)
def test_what_can_t_be_mended_is_told(
    data_dir: Path, pattern: str, damage: Callable[[bytes], bytes]
) -> None:
    file = _file(data_dir, pattern)
    file.write_bytes(damage(file.read_bytes()))
    said = _refused(data_dir)
    place = data_dir / "server"
    assert said.endswith(f"put a backup in the place of {place}, or move it away to begin anew")


def test_the_command_says_it_in_two_lines_at_most(data_dir: Path) -> None:
    file = _file(data_dir, "*.incr.aof")
    file.write_bytes(_missing_bytes(file.read_bytes()))
    run = subprocess.run(
        [sys.executable, "-m", "matchbox_tui", "--headless", "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 3
    assert run.stdout == ""
    assert len(run.stderr.splitlines()) <= 2
    assert "truncate -s" in run.stderr
