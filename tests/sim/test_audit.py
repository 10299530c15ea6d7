"""Whatever is wrong with a venue's evidence is told, on the right line, with its place."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    CancelRejected,
    CreateMarket,
    Event,
    Exchange,
    ExpireOrders,
    HaltMarket,
    Malformed,
    Market,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderRejected,
    Position,
    Reason,
    ReplaceOrder,
    ReplaceRejected,
    ResumeMarket,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TradeExecuted,
)
from sim.recording import Place, StreamEntry
from tests.sim.evidence import EVERYTHING, Story, failing, place, with_field

Change = Callable[[Story], None]


def story() -> Story:
    """Every kind of command, in commits of one to three; a record of what was acknowledged."""
    told = Story()
    told.commit(CreateMarket(Market.prediction("RAIN"), 1))
    told.commit(told.sell(52, 10, trader="ann"), told.sell(53, 5, trader="bob"))
    told.commit(told.buy(52, 4, trader="cy"))
    told.hash("a", "leading")
    told.hash("b", "follower")
    told.commit(told.buy(50, 7, trader="cy"), told.buy(0), told.buy(48, 3, trader="cy"))
    told.commit(ReplaceOrder(order_id=4, qty=9), ReplaceOrder(order_id=99, price=1))
    told.commit(CancelOrder(4), CancelOrder(4), CancelAll("cy"), CancelAll("nobody"))
    told.commit(told.buy(60, 30, time_in_force=TimeInForce.IOC, trader="dee"))
    told.epoch = 2
    told.commit(HaltMarket("RAIN"), ResumeMarket("RAIN"), HaltMarket("SNOW"))
    told.commit(told.sell(90, 2, market="RAIN", time_in_force=TimeInForce.GTD, expires_at=9))
    told.commit(ExpireOrders(8), ExpireOrders(9), Malformed("{"))
    told.snapshot()
    told.commit(told.buy(40, 10), told.buy(41, 10))
    told.commit(told.sell(41, 4))
    told.hash("b", "follower")
    told.wait(told.buy(39, 1), CancelOrder(1))
    told.acknowledged()
    return told


def test_a_sound_story_passes_and_is_counted(tmp_path: Path) -> None:
    verdict = story().audit(tmp_path)
    assert failing(verdict) == []
    assert (verdict.first, verdict.last) == (0, 24)
    counts = {check.name: check.counts for check in verdict.checks}
    assert counts["I1"] == {
        "orders": 11,
        "waiting": 1,
        "unused_ids": 0,
        "acknowledged": 12,
        "not_judged": 0,
        "lost": 0,
        "doubled": 0,
    }
    assert counts["I2"] == {"orders": 11, "overtaken": 0, "waiting": 1, "continued": 0}
    assert counts["I3"] == {"commands": 24, "commits": 12, "epochs": 2}
    assert counts["I4"] == {"commands": 24, "events": 37, "in_part": 1}
    assert counts["I5"] == {"fills": 4, "unpublished": 0}
    assert counts["I6"] == {
        "orders": 10,
        "asked": 87,
        "filled": 38,
        "cancelled": 12,
        "expired": 21,
        "resting": 16,
    }
    assert counts["I7"]["books"] == 2
    assert counts["I8"] == {
        "hashes": 3,
        "snapshots": 1,
        "sequences": 3,
        "replayed": 3,
        "of_another_history": 0,
    }


def test_an_empty_venue_passes_with_zero_counts(tmp_path: Path) -> None:
    verdict = Story().audit(tmp_path)
    assert failing(verdict) == []
    assert verdict.last == 0
    assert verdict.check("I3").counts == {"commands": 0, "commits": 0, "epochs": 0}


# Tampering that exactly one invariant notices


def lost(told: Story) -> None:
    told.acknowledged([1, 11], [13, 14])


def answered_twice(told: Story) -> None:
    told.commit(NewOrder(order_id=4, side=Side.BUY, price=1, qty=1))


def answered_and_waiting(told: Story) -> None:
    told.wait(NewOrder(order_id=2, side=Side.SELL, price=53, qty=5))


def overtaken(told: Story) -> None:
    first, second = told.buy(30), told.buy(31)
    told.queue.clear()
    told.commit(second)
    told.commit(first)
    told.acknowledged([1, 11], [13, 14])


def waiting_out_of_turn(told: Story) -> None:
    first, second = told.buy(30), told.buy(31)
    told.wait(second, first)
    told.acknowledged()


def another_answer_than_what_waited(told: Story) -> None:
    told.answer(NewOrder(order_id=12, side=Side.BUY, price=38, qty=1))


def entry_deleted(told: Story) -> None:
    del told.entries[4]


def blob_altered(told: Story) -> None:
    told.alter(4, lambda events: [msgspec.structs.replace(events[0], qty=8), *events[1:]])


def chain_value_altered(told: Story) -> None:
    told.entries[4] = with_field(told.entries[4], b"c", b"0" * 32)


def epoch_falls(told: Story) -> None:
    told.entries[8] = with_field(told.entries[8], b"e", b"1")


def cursor_ahead(told: Story) -> None:
    told.moment["cursor"] = (25, told._chain, 2)


def cursor_on_another_chain(told: Story) -> None:
    told.moment["cursor"] = (24, "0" * 32, 2)


def cursor_of_another_epoch(told: Story) -> None:
    told.moment["cursor"] = (24, told._chain, 3)


def cursor_unreadable(told: Story) -> None:
    told.moment["troubles"] = {"cursor": "WRONGTYPE"}


def entry_under_another_id(told: Story) -> None:
    told.entries[4] = StreamEntry(b"9-1", told.entries[4].flat)


def entry_of_another_version(told: Story) -> None:
    told.entries[4] = with_field(told.entries[4], b"v", b"2")


def entry_without_events(told: Story) -> None:
    told.entries[4] = StreamEntry(b"9-0", told.entries[4].flat[:6])


def sequence_jumps_in_an_entry(told: Story) -> None:
    told.alter(4, lambda events: [*events[:2], msgspec.structs.replace(events[2], seq=10)])
    told.entries[4] = StreamEntry(b"10-0", told.entries[4].flat)
    told.rechain()


def another_reason(told: Story) -> None:
    def change(events: list[Event]) -> list[Event]:
        assert isinstance(events[2], OrderRejected)
        return [*events[:2], msgspec.structs.replace(events[2], reason=Reason.INVALID_QTY),
                *events[3:]]  # fmt: skip

    told.alter(3, change)
    told.rechain()


def a_good_order_called_malformed(told: Story) -> None:
    raw = '{"side":"buy","id":12,"price":5,"qty":1,"timestamp":1}'
    told.queue.clear()
    told.commit(Malformed(raw, 12))


def fill_dropped(told: Story) -> None:
    del told.fills[1]


def fill_altered(told: Story) -> None:
    fill = json.loads(told.fills[1].flat[1]) | {"qty": 99}
    told.fills[1] = StreamEntry(told.fills[1].id, [b"event", json.dumps(fill).encode()])


def fill_made_up(told: Story) -> None:
    told.fills.insert(1, StreamEntry(b"7-0", told.fills[0].flat))


def fill_doubled_at_the_end(told: Story) -> None:
    told.fills.append(StreamEntry(b"24-1", told.fills[-1].flat))


def fill_of_a_commit_that_is_not_there(told: Story) -> None:
    told.fills.append(StreamEntry(b"25-0", told.fills[-1].flat))


def last_fill_missing(told: Story) -> None:
    del told.fills[-1]


def fill_without_an_event(told: Story) -> None:
    told.fills[1] = StreamEntry(told.fills[1].id, [b"fill", told.fills[1].flat[1]])


def another_hash(told: Story) -> None:
    told.hashes[1] = msgspec.structs.replace(told.hashes[1], hash="0" * 40)


def another_snapshot(told: Story) -> None:
    told.hashes[2] = msgspec.structs.replace(told.hashes[2], hash="0" * 40)


@pytest.mark.parametrize(
    ("name", "change", "where"),
    [
        ("I1", lost, "order 13"),
        ("I1", answered_twice, "25"),
        ("I1", answered_and_waiting, "the queue"),
        ("I2", overtaken, "26"),
        ("I2", waiting_out_of_turn, "the queue"),
        ("I2", another_answer_than_what_waited, "25"),
        ("I3", entry_deleted, "8"),
        ("I3", blob_altered, "8"),
        ("I3", chain_value_altered, "8"),
        ("I3", epoch_falls, "18"),
        ("I3", cursor_ahead, "24"),
        ("I3", cursor_on_another_chain, "24"),
        ("I3", cursor_of_another_epoch, "24"),
        ("I3", cursor_unreadable, "24"),
        ("I3", entry_under_another_id, "8"),
        ("I3", entry_of_another_version, "9-0"),
        ("I3", entry_without_events, "9-0"),
        ("I3", sequence_jumps_in_an_entry, "9"),
        ("I4", another_reason, "6"),
        ("I4", a_good_order_called_malformed, "25"),
        ("I5", fill_dropped, "14-0"),
        ("I5", fill_altered, "14-0"),
        ("I5", fill_made_up, "7-0"),
        ("I5", fill_doubled_at_the_end, "24-1"),
        ("I5", fill_of_a_commit_that_is_not_there, "25-0"),
        ("I5", last_fill_missing, "24-0"),
        ("I5", fill_without_an_event, "14-0"),
        ("I8", another_hash, "4"),
        ("I8", another_snapshot, "21"),
    ],
)
def test_what_is_wrong_is_told_on_its_line(
    name: str, change: Change, where: str, tmp_path: Path
) -> None:
    told = story()
    change(told)
    verdict = told.audit(tmp_path)
    assert failing(verdict) == [name]
    assert place(verdict, name) == where
    line = verdict.lines()[EVERYTHING.index(name)]
    assert line.startswith(f"{name} FAIL  at {where}: expected ")


# A snapshot that is wrong: what follows it fits, so that only the look at it can tell


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


# Histories that somebody forged who knows how the chain is built


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


# What looks odd and is right


def test_a_journal_that_breaks_is_judged_up_to_there(tmp_path: Path) -> None:
    told = story()
    del told.fills[0]
    entry_deleted(told)
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
    last_fill_missing(told)
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
    told.moment["waiting"] = 9
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
