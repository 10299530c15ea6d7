"""Whatever a command did tells which command it was, or one that does the same."""

import pytest

from matchbox_tui.engine import Exchange, Malformed, decode_command, encode_command
from sim.audit.inferring import infer, outcome_id
from sim.naive import NaiveExchange
from tests.engine.build import buy, kinds
from tests.engine.workload import MARKETS, Workload


@pytest.mark.parametrize("seed", range(4))
def test_the_inferred_command_has_the_same_events(seed: int) -> None:
    exchange, model = Exchange(MARKETS), NaiveExchange(MARKETS)
    seen: set[str] = set()
    in_part = 0
    for command in Workload(seed, 60).commands(6000):
        if not isinstance(command, Malformed):
            command = decode_command(encode_command(command))
        events = exchange.apply(command)
        inferred = infer(events, model)
        assert inferred is not None
        expected = model.apply(inferred.command)
        assert kinds(expected) == kinds(events)
        if inferred.whole:
            assert expected == events
        in_part += not inferred.whole
        seen |= set(kinds(events))
    assert len(seen) == 12
    # A cancel-all that found nothing and a market that can't be: what was asked is not told.
    assert in_part < 300


def test_a_malformed_element_has_an_id_where_it_shows_one() -> None:
    exchange = Exchange()
    cases = [
        (b'{"id":7,"side":"up"}', 7),
        (b'{"id":8,"market":"' + b"x" * 20_000 + b'"}', 8),
        (b"nonsense", None),
        (b'{"side":"buy"}', None),
        (b'{"id":-1,"side":"up"}', None),
    ]
    for raw, expected in cases:
        (event,) = exchange.apply(decode_command(raw))
        assert outcome_id(event) == expected


def test_only_new_orders_have_a_first_outcome() -> None:
    exchange = Exchange()
    accepted, rested = exchange.apply(buy(5))
    assert (outcome_id(accepted), outcome_id(rested)) == (5, None)
    (rejected,) = exchange.apply(buy(5))
    assert outcome_id(rejected) == 5
    (rejected,) = exchange.apply(buy(-5))
    assert outcome_id(rejected) is None
