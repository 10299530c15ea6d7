"""Histories that somebody forged who knows how the chain is built."""

from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import (
    CancelRejected,
    Event,
    Exchange,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderRejected,
    Reason,
    Side,
    TradeExecuted,
)
from tests.sim.evidence import Story, failing, place, story


def test_a_forged_size_of_a_fill(tmp_path: Path) -> None:
    told = story()
    told.alter(2, lambda events: [events[0], msgspec.structs.replace(events[1], qty=3)])
    told.rechain()
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I4", "I5", "I6", "I8"]
    assert [place(verdict, name) for name in ("I4", "I5", "I6", "I8")] == ["4", "4-0", "4", "4"]


def test_a_forged_rest_of_what_should_have_traded(tmp_path: Path) -> None:
    told = Story()
    told.commit(told.sell(50))
    resting = Exchange()
    resting.seq = 1
    told.append(resting.apply(told.buy(51)))
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I4", "I7"]
    assert (place(verdict, "I4"), place(verdict, "I7")) == ("2", "2")


def test_a_forged_fill_of_more_than_there_is(tmp_path: Path) -> None:
    told = Story()
    told.commit(told.sell(50, 5), told.buy(40, 5))

    def change(events: list[Event]) -> list[Event]:
        trade = TradeExecuted(3, 0, "MAIN", 1, 3, 50, 9, Side.BUY, "", "", 0)
        return [events[0], trade]

    told.commit(told.buy(50, 9))
    told.alter(1, change)
    told.rechain()
    told.publish([TradeExecuted(3, 0, "MAIN", 1, 3, 50, 9, Side.BUY, "", "", 0)])
    del told.fills[0]
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I4", "I6", "I8"]
    assert place(verdict, "I6") == "3"
    assert "can't be replayed at 3" in verdict.check("I7").counted


def test_a_forged_second_order_under_an_id_that_is_open(tmp_path: Path) -> None:
    told = Story()
    told.commit(told.buy(50))
    told.append([OrderAccepted(2, NewOrder(order_id=1, side=Side.BUY, price=40, qty=1))])
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I1", "I4", "I6", "I8"]
    assert {place(verdict, name) for name in ("I1", "I4", "I6", "I8")} == {"2"}


def test_a_forged_cancel_of_an_order_that_was_never_there(tmp_path: Path) -> None:
    told = Story()
    told.append([OrderCancelled(1, "MAIN", 7, 5, Reason.REQUESTED, 0)])
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I4", "I6", "I8"]


def test_an_accepted_order_of_which_nothing_came(tmp_path: Path) -> None:
    told = Story()
    told.append([OrderAccepted(1, told.buy(50, 5))])
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I4", "I6"]
    assert "the other 5 of the 5 contracts of order 1" in verdict.lines()[5]


@pytest.mark.parametrize(
    "event",
    [
        TradeExecuted(1, 0, "MAIN", 1, 2, 50, 4, Side.BUY, "", "", 0),
        OrderCancelled(1, "MAIN", 1, 5, Reason.SELF_TRADE, 0),
        OrderRejected(1, 0, "MAIN", Reason.INVALID_QTY),
        CancelRejected(1, "MAIN", 1, Reason.INVALID_QTY, 0),
    ],
)
def test_events_that_no_command_begins_with(event: Event, tmp_path: Path) -> None:
    told = Story()
    told.append([event])
    verdict = told.audit(tmp_path)
    assert "I4" in failing(verdict)
    assert place(verdict, "I4") == "1"
