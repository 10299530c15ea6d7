"""Journals made of random commands whose clocks are not to be relied on."""

import random
from collections.abc import Iterator, Sequence

import msgspec

from matchbox_tui.engine import (
    CancelOrder,
    Command,
    Event,
    Exchange,
    NewOrder,
    ReplaceOrder,
    encode_events,
)
from matchbox_tui.store import Entry, chained
from tests.engine.workload import MARKETS, Workload

STEP = 300_000_000
"""Between two commands, in ns: a few of them share a second."""

BEGIN = 1_700_000_000_000_000_000
NONSENSE = (0, 1, 2**63 - 1, BEGIN - 90 * 24 * 3600 * 10**9)


def commands(seed: int, count: int) -> Iterator[Command]:
    """Time goes on, mostly; some clocks are off by seconds, a few by years."""
    chance = random.Random(seed)
    for number, command in enumerate(Workload(seed).commands(count)):
        now = BEGIN + number * STEP + chance.randrange(-3, 3) * 10**9
        if chance.random() < 0.02:
            now = chance.choice(NONSENSE)
        if isinstance(command, NewOrder):
            ends = command.expires_at
            yield msgspec.structs.replace(
                command,
                timestamp=now,
                expires_at=min(now + 5 * STEP, 2**63 - 1) if ends else 0,
            )
        elif isinstance(command, ReplaceOrder | CancelOrder):
            yield msgspec.structs.replace(command, timestamp=now)
        else:
            yield command


def events_of(asked: Sequence[Command], exchange: Exchange | None = None) -> list[list[Event]]:
    """What the engine makes of each command, on `MARKETS` where no exchange is given."""
    exchange = exchange if exchange is not None else Exchange(MARKETS)
    return [exchange.apply(command) for command in asked]


def entries(happened: Sequence[list[Event]], sizes: Iterator[int]) -> list[Entry]:
    """The journal of these commands, committed so many at a time."""
    made, chain, at = list[Entry](), "", 0
    while at < len(happened):
        size = next(sizes)
        events = [event for one in happened[at : at + size] for event in one]
        blob = encode_events(events)
        chain = chained(chain, blob)
        made.append(Entry(events[-1].seq, 1, chain, blob, events))
        at += size
    return made


def sizes(seed: int) -> Iterator[int]:
    chance = random.Random(seed)
    while True:
        yield chance.choice((1, 1, 2, 3, 7, 40))
