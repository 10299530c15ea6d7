"""Random venues pass; whatever is altered in what moves a book is told."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matchbox_tui.engine import (
    Command,
    CreateMarket,
    Event,
    Exchange,
    Malformed,
    OrderCancelled,
    OrderExpired,
    OrderReplaced,
    OrderRested,
    TradeExecuted,
    decode_command,
    decode_events,
    encode_command,
)
from sim.audit import Verdict
from tests.engine.workload import MARKETS, Workload
from tests.sim.evidence import Story, failing, field, place, with_field

MOVES = (OrderRested, OrderReplaced, OrderCancelled, OrderExpired, TradeExecuted)


def through_the_queue(commands: Iterator[Command]) -> Iterator[Command]:
    """As they come out at its other end."""
    for command in commands:
        yield command if isinstance(command, Malformed) else decode_command(encode_command(command))


def random_story(seed: int, count: int, ids: int = 60, depth: int = 0) -> Story:
    """Commits of many sizes, under leaders that change, with hashes now and then."""
    told = Story()
    told.commit(CreateMarket(MARKETS[1]))
    chance = random.Random(seed)
    commands = list(through_the_queue(Workload(seed, ids, depth).commands(count)))
    while commands:
        size = chance.randint(1, 40)
        told.epoch += chance.random() < 0.05
        told.commit(*commands[:size])
        del commands[:size]
        if chance.random() < 0.1:
            told.hash("b")
    told.hash("a", "leading")
    return told


def audited(told: Story) -> Verdict:
    with tempfile.TemporaryDirectory() as name:
        return told.audit(Path(name))


@pytest.mark.parametrize(("ids", "depth"), [(60, 0), (400, 0), (2000, 12)])
@pytest.mark.parametrize("seed", range(3))
def test_random_commands_pass(seed: int, ids: int, depth: int) -> None:
    told = random_story(seed, 4000, ids, depth)
    verdict = audited(told)
    assert failing(verdict) == []
    assert verdict.check("I4").counts["commands"] == 4001
    assert verdict.check("I5").counts["fills"] == len(told.fills) > 100
    assert verdict.check("I8").counts["sequences"] > 5


@pytest.mark.parametrize("seed", range(3))
def test_random_commands_after_a_snapshot_pass(seed: int) -> None:
    before = random_story(seed, 1500, 400)
    state = Exchange.load(before.exchange.dump())
    assert state.orders
    told = Story(state, "c0ffee")
    for command in through_the_queue(Workload(seed + 50, 400).commands(1500)):
        told.commit(command)
    verdict = audited(told)
    assert failing(verdict) == []
    assert (verdict.first, verdict.last) == (1501, 3001)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 5))
def test_any_byte_of_the_journal_that_changes_is_told(data: st.DataObject, seed: int) -> None:
    told = random_story(seed, 150)
    number = data.draw(st.integers(0, len(told.entries) - 1), "entry")
    blob = bytearray(field(told.entries[number], b"b"))
    blob[data.draw(st.integers(0, len(blob) - 1), "byte")] ^= data.draw(st.integers(1, 255), "bits")
    told.entries[number] = with_field(told.entries[number], b"b", bytes(blob))
    first = int(told.entries[number - 1].id.partition(b"-")[0]) + 1 if number else 1
    verdict = audited(told)
    assert failing(verdict) == ["I3"]
    assert verdict.last == first - 1


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 5))
def test_any_number_that_is_forged_in_what_moves_a_book_is_told(
    data: st.DataObject, seed: int
) -> None:
    told = random_story(seed, 150)
    events = [decode_events(field(entry, b"b")) for entry in told.entries]
    moving = [
        (number, n)
        for number, some in enumerate(events)
        for n, event in enumerate(some)
        if isinstance(event, MOVES)
    ]
    number, n = data.draw(st.sampled_from(moving), "event")
    event = events[number][n]
    names = [
        name
        for name in event.__struct_fields__
        # Another price of a replace may be another command, and as good a story.
        if name not in ("seq", "timestamp", "price" if isinstance(event, OrderReplaced) else "")
        and isinstance(getattr(event, name), int)
    ]
    name = data.draw(st.sampled_from(names), "field")
    value = getattr(event, name)
    forged = (not value) if isinstance(value, bool) else value + data.draw(st.integers(1, 3))

    def change(before: list[Event]) -> list[Event]:
        before[n] = msgspec.structs.replace(event, **{name: forged})
        return before

    told.alter(number, change)
    told.rechain()
    verdict = audited(told)
    assert "I4" in failing(verdict)
    assert "I3" not in failing(verdict)
    assert int(place(verdict, "I4")) >= event.seq


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), seed=st.integers(0, 5))
def test_any_event_that_is_left_out_is_told(data: st.DataObject, seed: int) -> None:
    told = random_story(seed, 150)
    events = [decode_events(field(entry, b"b")) for entry in told.entries]
    number = data.draw(st.integers(1, len(events) - 1), "entry")
    n = data.draw(st.integers(0, len(events[number]) - 1), "event")
    told.alter(number, lambda before: [*before[:n], *before[n + 1 :]])
    told.rechain()
    # A cancel-all that left an order out looks like another command, until states are compared.
    assert failing(audited(told)) != []
