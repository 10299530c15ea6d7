"""Whether a venue grows: each part after the last step beside itself after the first."""

import mmap
import os

import pytest

from sim.bench.flow import Flow
from sim.bench.machine import resident_mb
from sim.bench.soak import PARTS, soak_rows, steps_of


@pytest.mark.parametrize(
    ("orders", "steps"),
    [(5_000_000, (5, 1_000_000)), (8_000_000, (8, 1_000_000)), (1_000_000, (5, 200_000))],
)
def test_a_step_is_a_million_unless_there_are_too_few(orders: int, steps: tuple[int, int]) -> None:
    assert steps_of(orders) == steps


def test_what_grew_has_missed_its_goal() -> None:
    first = dict.fromkeys(PARTS, 100.0)
    last = first | {PARTS[0]: 105.0, PARTS[1]: 106.0, PARTS[2]: 90.0}
    rows = soak_rows(
        1000, [first, dict.fromkeys(PARTS, 200.0), last], [5, 9, 7], [10.0, 30.0, 20.0]
    )
    assert [row.what for row in rows[:-1]] == list(PARTS)
    assert [row.reached for row in rows[:-1]] == [True, False, True, True, True]
    assert rows[1].ratios == [1.0, 2.0, 1.06]
    assert (rows[1].value, rows[1].base, rows[1].against) == (106.0, 100.0, "after 1,000 orders")
    assert rows[-2].more == {"MB that it held at least": 5, "at most": 9}
    assert rows[-1].value == 20.0


def test_a_process_s_memory_is_told() -> None:
    before = resident_mb(os.getpid())
    assert before is not None
    # Pages of its own: an object might take the place of one that has gone.
    with mmap.mmap(-1, 50 << 20) as block:
        block.write(b"x" * len(block))
        after = resident_mb(os.getpid())
        assert after is not None
        assert after - before > 0.9 * len(block) / 2**20
    assert resident_mb(2**22 + 1) is None


def test_the_producer_s_book_stays_as_it_is() -> None:
    flow = Flow()
    sizes = []
    for _ in range(40):
        flow.take(1000)
        sizes.append(len(flow.exchange.orders))
    assert max(sizes[20:]) < 1.2 * max(sizes[:20])
