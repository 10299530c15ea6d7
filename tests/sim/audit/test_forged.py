"""Histories that somebody forged who knows how the chain is built."""

from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import (
    CancelOrder,
    CancelRejected,
    Event,
    Exchange,
    MarketHalted,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderRejected,
    Reason,
    ReplaceRejected,
    Side,
    TradeExecuted,
)
from sim.recording import RunFacts
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


@pytest.mark.parametrize(
    "event",
    [
        CancelRejected(1, "", 7, Reason.UNKNOWN_ORDER, 2**63),
        CancelRejected(1, "", 7, Reason.UNKNOWN_ORDER, -(2**63) - 1),
        CancelRejected(1, "", 2**70, Reason.UNKNOWN_ORDER, 1),
        ReplaceRejected(1, "", 7, Reason.UNKNOWN_ORDER, 2**64 - 1, 5),
        OrderRejected(1, 0, "", Reason.MALFORMED, 2**63, None, "{"),
        MarketHalted(1, "MAIN", 10**30),
    ],
)
def test_numbers_that_no_queue_can_hold(event: Event, tmp_path: Path) -> None:
    told = Story()
    told.append([event])
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I4"]
    assert place(verdict, "I4") == "1"
    assert "a command with numbers of 64 bits" in verdict.lines()[3]


@pytest.mark.parametrize("time", [2**63 - 1, -(2**63), 0])
def test_the_largest_numbers_that_one_can_hold(time: int, tmp_path: Path) -> None:
    told = Story()
    told.append([CancelRejected(1, "", 7, Reason.UNKNOWN_ORDER, time)])
    assert failing(told.audit(tmp_path)) == []


def test_a_forged_time_in_a_simulated_run(tmp_path: Path) -> None:
    start, minute = 1_700_000_000 * 10**9, 60 * 10**9
    told = Story()
    told.simulated = RunFacts(
        scenario="calm", seed=1, virtual=True, start=start, duration=minute, created=0, versions={}
    )
    told.commit(told.buy(50, timestamp=start - minute), told.buy(0, timestamp=start + 2 * minute))
    assert failing(told.audit(tmp_path / "fine")) == []
    told.commit(CancelOrder(1, 1))
    verdict = told.audit(tmp_path / "back")
    assert failing(verdict) == ["I2"]
    assert place(verdict, "I2") == "3"


def test_a_forged_record_of_the_same_id_twice(tmp_path: Path) -> None:
    told = story()
    told.acknowledged([1, 6], [5, 8], [9, told.counter])
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I1"]
    assert place(verdict, "I1") == "order 5"
    assert "found that twice; so were 2 orders in all" in verdict.lines()[0]
    assert verdict.check("I1").counts["acknowledged"] == told.counter
    assert verdict.check("I1").counts["acknowledged_twice"] == 2


def test_a_forged_counter_below_the_ids_that_were_acknowledged(tmp_path: Path) -> None:
    told = story()
    told.moment["counter"] = told.counter - 2
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I1"]
    assert place(verdict, "I1") == "the counter"
    assert f"expected {told.counter} or more" in verdict.lines()[0]
    assert verdict.check("I1").counts["beyond_counter"] == 2
