"""Readers that are stuck cost the engine nothing: measured with and without them, in turns."""

from collections.abc import Sequence

from matchbox_tui.store import Keys, Server
from sim.bench.consumers import ConsumersBench
from sim.bench.report import Plan, Row
from sim.bench.stuck import GROUP, NAME, StuckReaders
from sim.bench.venue import BenchVenue, open_venue
from tests.waiting import eventually

FEWEST, MOST = 5, 60
"""Rounds. A busy machine makes one round differ from the next, so there are more until the median
of all is what it should be; were it really less, more of them would not help.
"""

LEAST_BY_PROCESSOR = 0.85
"""The server puts each fill into the buffers of those who don't take it, too; and on a busy machine
whoever else runs takes the caches away.
"""


async def test_stuck_readers_take_nothing_from_the_engine() -> None:
    async with open_venue() as venue:
        await _are_stuck_and_leave_nothing(venue)
        bench = ConsumersBench(Plan(rounds=1, seconds=0.1), venue, lambda words: None)
        try:
            for number in range(1, MOST + 1):
                await bench.round()
                # By the clock, which tells of waiting, and by the time of the processor.
                rows = bench.report().rows
                if number >= FEWEST and _costs_nothing(rows):
                    break
        finally:
            await bench.close()
    assert _costs_nothing(rows), rows
    assert all(len(row.ratios) == number for row in rows)
    assert bench.problems == []
    assert all(one.orders > 0 for found in bench.found.values() for one in found)


def _costs_nothing(rows: Sequence[Row]) -> bool:
    """By the medians of all rounds: a single round's ratio is of two moments on a busy machine."""
    by_clock, by_processor = rows
    assert by_clock.base is not None
    assert by_processor.ratio is not None
    return by_clock.value >= 0.95 * by_clock.base and by_processor.ratio >= LEAST_BY_PROCESSOR


async def _are_stuck_and_leave_nothing(venue: BenchVenue) -> None:
    keys, link = Keys(), Server(venue.url).link("matchbox-test")

    async def groups() -> list[bool]:
        """Whether each of the streams has their group."""
        found = [await link.call("XINFO", "GROUPS", key) for key in (keys.log, keys.fills_stream)]
        return [any(GROUP.encode() in flat for flat in facts) for facts in found]

    async def stuck() -> int:
        clients = (await link.call("CLIENT", "LIST")).decode().splitlines()
        return sum(f" name={NAME} " in line for line in clients)

    readers = StuckReaders(venue.url, keys, venue.gateway_port, 2)
    await readers.open()
    assert (await stuck(), await groups()) == (4, [True, True])
    await readers.close()
    await readers.end()
    assert await groups() == [False, False]
    await eventually(stuck, lambda count: count == 0)
    await link.close()
