"""What looks odd in a venue's evidence, and is right, or can't be judged."""

import json
import random
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import (
    CancelOrder,
    ExpireOrders,
    Malformed,
    NewOrder,
    Reason,
    ReplaceOrder,
    ReplaceRejected,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradeExecuted,
)
from sim.recording import StreamEntry
from tests.sim.evidence import Story, failing, place, story, with_field


def test_a_journal_that_breaks_is_judged_up_to_there(tmp_path: Path) -> None:
    told = story()
    del told.fills[0]
    del told.entries[4]
    verdict = told.audit(tmp_path)
    # What was wrong before the break is told as well.
    assert failing(verdict) == ["I3", "I5"]
    assert verdict.last == 7
    for name in ("I1", "I2", "I4", "I6", "I7", "I8"):
        assert "no further: the journal breaks at 8" in verdict.check(name).counted
    assert verdict.check("I4").counts["commands"] == 7


def test_other_producers_ids_may_overtake_each_other(tmp_path: Path) -> None:
    told = Story()
    first, second, third = told.buy(40), told.buy(41), told.buy(42)
    told.commit(second, third, first)
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.check("I2").counts["overtaken"] == 1
    assert "as producers without SUBMIT may" in verdict.check("I2").counted


def test_other_producers_may_use_an_id_again_once_it_is_no_longer_open(tmp_path: Path) -> None:
    told = Story()
    order = told.buy(40)
    told.commit(order, CancelOrder(1), order, order)
    told.counter = 0
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.check("I1").counts["orders"] == 3


def test_ids_that_were_handed_out_and_not_used_are_counted(tmp_path: Path) -> None:
    told = story()
    told.counter = 1_000_012
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.check("I1").counts["unused_ids"] == 1_000_000


def test_ids_beyond_the_counter_are_counted_where_nobody_was_told_of_them(tmp_path: Path) -> None:
    told = story()
    told.record = None
    told.moment["counter"] = told.counter - 1
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.check("I1").counts["beyond_counter"] == 1
    assert f"1 id beyond the counter, which is {told.counter - 1}" in verdict.lines()[0]


def test_other_producers_clocks_may_go_back(tmp_path: Path) -> None:
    told, now, minute = Story(), 1_700_000_000 * 10**9, 60 * 10**9
    for time in (now, now - minute, now, 0, now - 1 - minute, 1, 2, now):
        told.commit(told.buy(40, timestamp=time))
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.check("I2").counts["back_in_time"] == 2
    assert "2 more than a minute back in time" in verdict.lines()[1]


def test_without_a_record_nobody_can_say_that_anything_was_lost(tmp_path: Path) -> None:
    told = story()
    told.record = None
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert "lost" not in verdict.check("I1").counts
    assert "no record of what was acknowledged" in verdict.check("I1").counted


def test_an_acknowledged_order_that_came_out_malformed_is_not_lost(tmp_path: Path) -> None:
    told = Story()
    told.commit(Malformed('{"id":1,"market":"' + "x" * 238))
    told.commit(Malformed('{"id":"x"}', 2))
    told.acknowledged([1, 2])
    told.counter = 2
    assert failing(told.audit(tmp_path)) == []


def test_fills_that_nobody_could_publish_yet_are_told_and_no_offence(tmp_path: Path) -> None:
    told = story()
    del told.fills[-1]
    told.moment["leader"] = None
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.check("I5").counts == {"fills": 3, "unpublished": 1}
    assert "1 fill more will be told by the next leader" in verdict.check("I5").counted


def test_fills_of_later_commits_are_no_offence(tmp_path: Path) -> None:
    told = story()
    told.moment["last_fill"] = told.fills[-1].id.decode()
    told.publish([TradeExecuted(25, 0, "MAIN", 9, 12, 39, 1, Side.SELL, "", "", 0)])
    assert failing(told.audit(tmp_path)) == []


def test_a_fill_written_in_another_way_is_the_same_fill(tmp_path: Path) -> None:
    told = story()
    fill = {"more": 1, **json.loads(told.fills[1].flat[1])}
    flat = [b"seen", b"1", b"event", json.dumps(fill, indent=2).encode()]
    told.fills[1] = StreamEntry(told.fills[1].id, flat)
    assert failing(told.audit(tmp_path)) == []


def test_what_waited_and_was_answered_since_continues_the_journal(tmp_path: Path) -> None:
    told = story()
    waiting = NewOrder(order_id=12, side=Side.BUY, price=39, qty=1)
    told.answer(waiting, CancelOrder(1), ExpireOrders(7))
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.check("I2").counts["continued"] == 2


@pytest.mark.parametrize("version", [b"1", b"2"])
def test_answers_that_can_t_be_compared_are_not(version: bytes, tmp_path: Path) -> None:
    told = story()
    told.exchange.apply(ExpireOrders(1))
    told.answer(ExpireOrders(7))
    told.after[0] = with_field(told.after[0], b"v", version)
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.check("I2").counts["continued"] == 0


def test_a_state_hash_of_a_history_that_was_set_back_is_counted_only(tmp_path: Path) -> None:
    told = story()
    told.hashes[2] = msgspec.structs.replace(told.hashes[2], hash="0" * 40, chain="0" * 32)
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.check("I8").counts["of_another_history"] == 1


def test_an_older_journal_does_not_tell_what_a_refused_replace_asked_for(tmp_path: Path) -> None:
    told = Story()
    told.commit(told.buy(50))
    told.exchange.apply(ReplaceOrder(order_id=1, price=-3, timestamp=4))
    told.append([ReplaceRejected(2, "MAIN", 1, Reason.INVALID_PRICE, 4)])
    told.commit(ReplaceOrder(order_id=1, price=-3, timestamp=5))
    verdict = told.audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.check("I4").counts["in_part"] == 1
    assert "1 refusal checked in part" in verdict.check("I4").counted


def test_a_refused_replace_of_an_order_that_is_not_there_is_told_all_the_same(
    tmp_path: Path,
) -> None:
    told = Story()
    told.append([ReplaceRejected(1, "MAIN", 1, Reason.INVALID_PRICE, 4)])
    assert failing(told.audit(tmp_path)) == ["I4"]


def test_what_can_not_be_read_is_told_where_it_matters(tmp_path: Path) -> None:
    told = story()
    told.moment["troubles"] = {"queue": "WRONGTYPE q", "fills": "WRONGTYPE f"}
    told.queue.clear()
    told.fills.clear()
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I2", "I5"]
    assert (place(verdict, "I2"), place(verdict, "I5")) == ("the queue", "events_stream")


def test_a_journal_that_can_not_be_read_at_all(tmp_path: Path) -> None:
    told = story()
    told.entries.clear()
    told.moment["troubles"] = {"journal": "WRONGTYPE"}
    verdict = told.audit(tmp_path)
    assert failing(verdict) == ["I3"]
    assert [check.status for check in verdict.checks].count("not checked") == 7


def test_nothing_is_lost_in_a_queue_that_was_not_read_to_its_end(tmp_path: Path) -> None:
    told = story()
    told.acknowledged([1, 20])
    told.moment |= {"waiting": 9, "counter": 20}
    assert failing(told.audit(tmp_path)) == []


def test_self_trade_prevention_and_orders_that_fill_whole_or_not(tmp_path: Path) -> None:
    told = Story()
    modes = list(SelfTradePrevention)
    chance = random.Random(4)
    for _ in range(200):
        told.commit(
            told.order(
                chance.choice(list(Side)),
                chance.randint(48, 52),
                chance.randint(1, 9),
                trader=chance.choice(["ann", "bob"]),
                self_trade_prevention=chance.choice(modes),
                time_in_force=chance.choice([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.FOK]),
            )
        )
    assert len(told.fills) > 20
    assert failing(told.audit(tmp_path)) == []
