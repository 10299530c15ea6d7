"""Whatever is wrong with a venue's evidence is told, on the right line, with its place."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import (
    Event,
    Malformed,
    NewOrder,
    OrderRejected,
    Reason,
    Side,
)
from sim.recording import StreamEntry
from tests.sim.evidence import EVERYTHING, Story, failing, place, story, with_field

Change = Callable[[Story], None]


def test_a_sound_story_passes_and_is_counted(tmp_path: Path) -> None:
    verdict = story().audit(tmp_path)
    assert failing(verdict) == []
    assert (verdict.first, verdict.last) == (0, 24)
    counts = {check.name: check.counts for check in verdict.checks}
    assert counts["I1"] == {
        "orders": 11,
        "waiting": 1,
        "unused_ids": 0,
        "beyond_counter": 0,
        "acknowledged": 12,
        "acknowledged_twice": 0,
        "not_judged": 0,
        "lost": 0,
        "doubled": 0,
    }
    assert counts["I2"] == {
        "orders": 11,
        "overtaken": 0,
        "waiting": 1,
        "continued": 0,
        "back_in_time": 0,
    }
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
