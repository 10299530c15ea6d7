"""A journal that begins after a snapshot; and snapshots that are wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from matchbox_tui.engine import (
    Exchange,
    NewOrder,
    Position,
    Side,
)
from sim.recording import Place
from tests.sim.evidence import EVERYTHING, Story, failing, place


def after_a_snapshot(spoil: Callable[[Exchange], None] = lambda exchange: None) -> Story:
    """A story that goes on after a snapshot with an ask at 52, a bid at 50 and a trade."""
    exchange = Exchange()
    for command in (
        NewOrder(order_id=1, side=Side.SELL, price=52, qty=10, trader="ann"),
        NewOrder(order_id=2, side=Side.BUY, price=52, qty=4, trader="bob"),
        NewOrder(order_id=3, side=Side.BUY, price=50, qty=5, trader="bob"),
    ):
        exchange.apply(command)
    spoil(exchange)
    told = Story(exchange, "c0ffee")
    told.commit(NewOrder(order_id=4, side=Side.BUY, price=49, qty=1))
    told.commit(NewOrder(order_id=5, side=Side.BUY, price=52, qty=2))
    told.counter = 5
    return told


def test_a_story_after_a_snapshot_passes(tmp_path: Path) -> None:
    told = after_a_snapshot()
    told.acknowledged([1, 5])
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert (verdict.first, verdict.last) == (3, 5)
    # Those before the snapshot were answered in a part of the journal that is gone.
    assert verdict.check("I1").counts["not_judged"] == 3
    assert verdict.check("I1").counts["unused_ids"] == 0
    assert verdict.check("I6").counts["orders"] == 4
    assert "after snapshot 3" in verdict.check("I3").counted


def test_what_was_acknowledged_after_a_snapshot_and_is_missing_is_lost(tmp_path: Path) -> None:
    told = after_a_snapshot()
    told.acknowledged([1, 7])
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I1"]
    assert verdict.check("I1").counts["lost"] == 2
    assert place(verdict, "I1") == "order 6"


def more_left_than_asked_for(exchange: Exchange) -> None:
    order = exchange.orders[3]
    order.amend(5, 6)


def crossed(exchange: Exchange) -> None:
    order = exchange.orders[1]
    exchange.book().remove(order)
    order.price = 50
    exchange.book().rest(order)


def somebody_owes_nothing(exchange: Exchange) -> None:
    exchange.positions.set("bob", "MAIN", Position(5, -208))


def cash_out_of_nothing(exchange: Exchange) -> None:
    exchange.positions.set("bob", "MAIN", Position(4, -207))


@pytest.mark.parametrize(
    ("name", "spoil", "words"),
    [
        ("I6", more_left_than_asked_for, "at most 5 contracts of order 3 to rest, found 6"),
        ("I7", crossed, "bid 50 and ask 50"),
        ("I7", somebody_owes_nothing, "1 contracts and 0 of cash"),
        ("I7", cash_out_of_nothing, "0 contracts and 1 of cash"),
    ],
)
def test_a_snapshot_that_is_wrong_is_told(
    name: str, spoil: Callable[[Exchange], None], words: str, tmp_path: Path
) -> None:
    verdict = after_a_snapshot(spoil).audit(tmp_path)
    assert failing(verdict) == [name]
    assert place(verdict, name) == "3"
    assert words in verdict.lines()[EVERYTHING.index(name)]


def test_a_snapshot_of_another_chain_than_the_journal_goes_on_from(tmp_path: Path) -> None:
    told = after_a_snapshot()
    told.place = Place(3, "decaf", 1, 0)
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I3"]
    assert place(verdict, "I3") == "4"


def test_a_snapshot_that_the_journal_does_not_go_on_from(tmp_path: Path) -> None:
    told = after_a_snapshot()
    del told.entries[0]
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I3"]
    assert place(verdict, "I3") == "4"
    for check in verdict.checks:
        assert check.status == ("FAIL" if check.name == "I3" else "not checked")
        assert check.name == "I3" or check.counted == "the journal breaks at 4"
