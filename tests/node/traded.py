"""A venue with a past: traded on, snapshots taken, and everybody gone."""

import logging
import random
import re
import zlib
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import Market, NewOrder, Side
from matchbox_tui.store import (
    Header,
    Replica,
    SnapshotFiles,
)
from matchbox_tui.store.snapshot import sealed
from tests.node.venue import QUIET, Venue, buy, order
from tests.store.states import (
    elements_of,
    put_snapshot,
)


def mixed_orders(seed: int, count: int = 60) -> list[NewOrder]:
    chance = random.Random(seed)
    return [
        order(
            chance.randint(45, 55),
            chance.randint(1, 9),
            chance.choice(list(Side)),
            trader=f"t{chance.randint(1, 4)}",
            market=chance.choice(("MAIN", "RAIN")),
        )
        for _ in range(count)
    ]


async def traded(venue: Venue, data_dir: Path | None = None) -> Replica:
    """Two snapshots, at 61 and 121, of a journal up to 181, and nobody there any more.

    In the data directory as well, where one is given. The state at the end.
    """
    instance = await venue.lead(settings=QUIET, markets=(Market.prediction("RAIN"),))
    for round_ in range(3):
        await venue.client.submit(mixed_orders(round_))
        assert await venue.handled() == 61 + 60 * round_
        if round_ < 2:
            await venue.snapshot()
            if data_dir is not None:
                await write_files(venue, data_dir)
    await instance.stop()
    return await venue.restored()


async def write_files(venue: Venue, data_dir: Path) -> None:
    replica = await venue.restored()
    counter = int(await venue.link.call("GET", venue.keys.order_id))
    head = Header(replica.seq, replica.chain, replica.epoch, counter, 1_700_000_000_000)
    assert await SnapshotFiles(data_dir).write(head, replica.exchange)


async def trim_to(venue: Venue, seq: int) -> None:
    """Leaves of the journal what comes after a sequence."""
    await venue.link.call("XTRIM", venue.keys.log, "MINID", f"{seq + 1}-0")


async def comes_back(
    venue: Venue, expected: Replica, caplog: pytest.LogCaptureFixture, data_dir: Path | None = None
) -> int:
    """An instance recovers all of it, and goes on; from which snapshot, 0 for the journal."""
    caplog.set_level(logging.INFO, "matchbox_tui.node.recovery")
    caplog.clear()
    instance = await venue.lead("next", settings=QUIET, data_dir=data_dir)
    replica = await venue.caught_up(instance)
    assert replica.tip == expected.tip
    assert replica.exchange.state_hash() == expected.exchange.state_hash()
    await venue.client.submit([buy(1, 1)])
    assert await venue.handled() == expected.seq + 1
    said = re.findall(r"Recovered from snapshot (\d+), now at \d+", caplog.text)
    assert len(said) <= 1
    return int(said[0]) if said else 0


async def spoil(venue: Venue, seq: int, how: str) -> None:
    *parts, header = await elements_of(venue.link, venue.keys, seq)
    raw = {
        "torn": [*parts[:-1], header],
        "half written": parts,
        "altered": [parts[0][:-1] + b"?", *parts[1:], header],
        "future": [*parts, header.replace(b'"version":2', b'"version":3')],
        "gone": [],
        "elsewhere": [*parts, elsewhere(parts, header)],
    }[how]
    await put_snapshot(venue.link, venue.keys, seq, raw)


def elsewhere(parts: list[bytes], header: bytes) -> bytes:
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    head = msgspec.structs.replace(msgspec.json.decode(header, type=Header), chain="another")
    return msgspec.json.encode(sealed(head, len(parts), crc))
