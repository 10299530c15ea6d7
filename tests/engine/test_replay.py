"""Replay: the same state from the events alone, in whatever pieces they come."""

import pytest

from matchbox_tui.engine import (
    Event,
    Exchange,
    Market,
    MarketCreated,
    MarketHalted,
    MarketResumed,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderReplaced,
    OrderRested,
    Reason,
    Side,
    TradeExecuted,
    decode_events,
    encode_events,
)
from tests.engine.build import buy, exchange, sell
from tests.engine.ledger import check_books, check_positions
from tests.engine.workload import MARKETS, Workload


def history(seed: int, count: int = 1500) -> tuple[Exchange, list[list[Event]]]:
    venue = Exchange(MARKETS)
    return venue, [venue.apply(command) for command in Workload(seed).commands(count)]


@pytest.mark.parametrize("seed", [21, 22])
def test_replay_in_one_go_gives_the_same_state(seed: int) -> None:
    venue, journal = history(seed)
    replayed = Exchange(MARKETS)
    replayed.replay([event for events in journal for event in events])
    assert replayed.state_hash() == venue.state_hash()
    assert replayed.seq == venue.seq
    check_books(replayed)
    check_positions(replayed)


@pytest.mark.parametrize("seed", [23, 24])
def test_replay_event_by_event_gives_the_same_state(seed: int) -> None:
    venue, journal = history(seed)
    replayed = Exchange(MARKETS)
    for events in journal:
        for event in events:
            replayed.replay([event])
    assert replayed.state_hash() == venue.state_hash()


def test_replay_through_json_gives_the_same_state_after_every_command() -> None:
    venue, replayed = Exchange(MARKETS), Exchange(MARKETS)
    for command in Workload(25).commands(800):
        replayed.replay(decode_events(encode_events(venue.apply(command))))
        assert replayed.state_hash() == venue.state_hash(), command


@pytest.mark.parametrize("cut", [1, 300, 777, 1499])
def test_replay_goes_on_after_a_dump_and_a_load(cut: int) -> None:
    venue, journal = history(26)
    replayed = Exchange(MARKETS)
    for events in journal[:cut]:
        replayed.replay(events)
    replayed = Exchange.load(replayed.dump())
    for events in journal[cut:]:
        replayed.replay(events)
    assert replayed.state_hash() == venue.state_hash()


def test_a_follower_that_takes_over_tells_the_same_events() -> None:
    venue, journal = history(27, 700)
    follower = Exchange(MARKETS)
    for events in journal:
        follower.replay(events)
    for command in Workload(28).commands(700):
        assert follower.apply(command) == venue.apply(command)
    assert follower.state_hash() == venue.state_hash()


def test_a_leader_that_steps_down_follows_on() -> None:
    venue, journal = history(29, 700)
    stepped_down = Exchange(MARKETS)
    for command in Workload(29).commands(700):
        stepped_down.apply(command)
    for command in Workload(30).commands(700):
        stepped_down.replay(venue.apply(command))
    assert len(journal) == 700
    assert stepped_down.state_hash() == venue.state_hash()


@pytest.mark.parametrize("lost", [0, 1, 5])
def test_replay_raises_on_a_gap(lost: int) -> None:
    _, journal = history(31, 10)
    left = [event for events in journal[:lost] + journal[lost + 1 :] for event in events]
    with pytest.raises(ValueError, match=f"sequence {lost + 1} is missing before {lost + 2}"):
        Exchange(MARKETS).replay(left)


def test_replay_raises_on_what_it_has_seen_already() -> None:
    _, journal = history(32, 10)
    replayed = Exchange(MARKETS)
    for events in journal:
        replayed.replay(events)
    with pytest.raises(ValueError, match="sequence 11 is missing before 3"):
        replayed.replay(journal[2])


def test_replay_of_nothing_changes_nothing() -> None:
    venue = exchange(buy(1))
    before = venue.state_hash()
    venue.replay([])
    assert venue.state_hash() == before


ACCEPTED = OrderAccepted(3, buy(9, 60, 10))


@pytest.mark.parametrize(
    "events",
    [
        [OrderRested(3, "MAIN", 9, 50, 10, 0)],
        [OrderRested(3, "MAIN", 1, 50, 10, 0)],
        [ACCEPTED, OrderRested(3, "MAIN", 8, 60, 10, 0)],
        [ACCEPTED, OrderRested(3, "MAIN", 9, 60, 9, 0)],
        [ACCEPTED, OrderRested(3, "MAIN", 9, 61, 10, 0)],
        [ACCEPTED, OrderRested(3, "NO", 9, 60, 10, 0)],
        [ACCEPTED, OrderRested(3, "MAIN", 9, 60, 10, 0), OrderRested(3, "MAIN", 9, 60, 10, 0)],
        [ACCEPTED, OrderRested(4, "MAIN", 9, 60, 10, 0)],
        [OrderAccepted(3, buy(1))],
        [TradeExecuted(3, 0, "MAIN", 2, 9, 60, 5, Side.BUY, "", "", 0)],
        [ACCEPTED, TradeExecuted(3, 0, "MAIN", 7, 9, 60, 5, Side.BUY, "", "", 0)],
        [ACCEPTED, TradeExecuted(3, 0, "MAIN", 2, 8, 60, 5, Side.BUY, "", "", 0)],
        [ACCEPTED, TradeExecuted(3, 0, "MAIN", 2, 9, 60, 6, Side.BUY, "", "", 0)],
        [ACCEPTED, TradeExecuted(3, 0, "NO", 2, 9, 60, 5, Side.BUY, "", "", 0)],
        [
            OrderAccepted(3, buy(9, 60, 3)),
            TradeExecuted(3, 0, "MAIN", 2, 9, 60, 5, Side.BUY, "", "", 0),
        ],
        [OrderReplaced(3, "MAIN", 9, 50, 5, 5, True, 0)],
        [OrderReplaced(3, "NO", 1, 50, 5, 5, False, 0)],
        [OrderCancelled(3, "MAIN", 9, 10, Reason.REQUESTED, 0)],
        [OrderCancelled(3, "MAIN", 1, 9, Reason.REQUESTED, 0)],
        [OrderCancelled(3, "NO", 1, 10, Reason.REQUESTED, 0)],
        [OrderExpired(3, "MAIN", 9, 10, Reason.TIME, 0)],
        [ACCEPTED, OrderExpired(3, "MAIN", 9, 9, Reason.IMMEDIATE, 0)],
        [MarketHalted(3, "NO", 0)],
        [MarketResumed(3, "NO", 0)],
        [MarketCreated(3, Market("MAIN"), 0)],
    ],
)
def test_replay_raises_on_events_that_contradict_the_state(events: list[Event]) -> None:
    venue = exchange(buy(1, 50, 10), sell(2, 60, 5))
    with pytest.raises(ValueError, match=r"at 3|at 4|3-0"):
        venue.replay(events)
