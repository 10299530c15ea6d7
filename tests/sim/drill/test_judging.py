"""The verdict: each thing that can be wrong is wrong by itself, and a slow machine is not."""

from typing import Any

import msgspec
import pytest

from matchbox_tui.store import Client, Keys, Server
from sim.audit import Check, Offence, Status, Verdict
from sim.drill.hash_board import HashBoard, HashCheck
from sim.drill.judging import Evidence, judged
from sim.drill.reckoning import Executed, Reckoning
from sim.drill.report import FaultReport, all_figures, figures_of, nearest_rank
from sim.faults import KINDS, Recovery
from sim.floor import Doubt, FloorRecord
from sim.watcher import Sighting, Watcher

LEASE = 2000


def recovery(kind: str = "kill", ms: float | None = 50.0, **more: Any) -> Recovery:
    return Recovery(kind, "a", "a", "b", 1, 2, recovered_ms=ms, **more)


def check(name: str, status: Status) -> Check:
    wrong = Offence("7", "this", "that") if status is Status.FAIL else None
    return Check(name, name, status, "all counted", {}, wrong)


def evidence(**more: Any) -> Evidence:
    """A drill of one fault in which everything is right, but for what is said."""
    client = Client(Server("redis://127.0.0.1:1"), Keys(""), "nobody")
    watcher = Watcher(client)
    watcher.sightings = [Sighting(10, 1, "x", 0.0), Sighting(20, 2, "y", 1.0)]
    found: dict[str, Any] = {
        "faults": [FaultReport(1, recovery(), HashCheck(10, "a", "x", "b", "x"))],
        "record": FloorRecord(acknowledged=20),
        "watcher": watcher,
        "board": HashBoard(client),
        "reckoning": Reckoning(seq=20, commands=20, commits=2, hashes={10: "x"}),
        "verdict": Verdict(True, 0, 20, [check("I1", Status.OK)], 0.1),
        "refused": 0,
        "seconds": 2.0,
        "traded": 20,
        "violations": [],
    }
    return Evidence(**(found | more))


def test_where_nothing_is_wrong_all_is_well() -> None:
    report = judged(evidence(), LEASE, interrupted=False)
    assert report.ok
    assert (report.violations, report.late) == ([], [])
    assert (report.elections, report.rate, report.commits) == (2, 10.0, 2)
    assert report.faults[0].hashes == HashCheck(10, "a", "x", "b", "x", "x")


def broken(**more: Any) -> Reckoning:
    return msgspec.structs.replace(Reckoning(seq=20, commands=20, hashes={10: "x"}), **more)


def fault(one: Recovery, hashes: HashCheck | None = None) -> dict[str, Any]:
    return {"faults": [FaultReport(1, one, hashes)]}


FAILED = Verdict(False, 0, 20, [check("I1", Status.OK), check("I5", Status.FAIL)], 0.1)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"reckoning": broken(lost=[7, 5])}, "orders lost: 2, the first is 5"),
        ({"reckoning": broken(doubled=[9])}, "orders doubled: 1, the first is 9"),
        ({"reckoning": broken(altered=12)}, "the journal at 12 is not what was seen there"),
        ({"reckoning": broken(broken="a gap")}, "the journal can't be replayed: a gap"),
        ({"verdict": FAILED}, "I5 FAIL  at 7: expected this, found that"),
        ({"violations": ["node-2 ended by itself"]}, "node-2 ended by itself"),
        (fault(recovery(ms=None)), "fault 1 (kill a): the market did not go on"),
        (
            fault(recovery("pause", commits_held=1)),
            "a commit that came after its leader's end was not refused",
        ),
        (fault(recovery("stop", exit_code=-9)), "it ended with code -9 instead of 0"),
        (fault(recovery(), HashCheck(10, "a", "x", "b", "z")), "the states at 10 differ"),
        (fault(recovery(), HashCheck(10, "a", "z", "b", "z")), "the states at 10 differ"),
        (fault(recovery(), HashCheck(11, "a", "x", "b", "x")), "the states at 11 differ"),
    ],
)
def test_one_thing_that_is_wrong_fails_the_drill(wrong: dict[str, Any], words: str) -> None:
    report = judged(evidence(**wrong), LEASE, interrupted=False)
    assert not report.ok
    assert len(report.violations) == 1
    assert words in report.violations[0]


def test_a_journal_that_broke_under_watch_fails_the_drill() -> None:
    seen = evidence()
    seen.watcher.broken = "a fork"
    report = judged(seen, LEASE, interrupted=False)
    assert report.violations == ["the journal broke while it was watched: a fork"]


def test_hashes_that_differ_fail_the_drill() -> None:
    seen = evidence()
    for seq in range(100, 120):
        seen.board._note("c", seq, "z")
        seen.reckoning.hashes[seq] = "x"
    report = judged(seen, LEASE, interrupted=False)
    assert (report.hashes_compared, report.hashes_differing) == (20, 20)
    # A few say it.
    assert report.violations == [
        f"c had another state than the replay at {seq}" for seq in range(100, 105)
    ]


def test_what_was_in_doubt_is_counted_by_what_became_of_it() -> None:
    record = FloorRecord(in_doubt=9, doubts=[Doubt("ann", str(n)) for n in range(5)])
    reckoning = Reckoning(
        executed=[Executed("ann", "0", 4), Executed("ann", "1", 5)],
        never_arrived=record.doubts[2:],
        hashes={10: "x"},
    )
    doubts = judged(evidence(record=record, reckoning=reckoning), LEASE, interrupted=True).in_doubt
    assert (doubts.commands, doubts.orders, doubts.others) == (9, 5, 4)
    assert (doubts.executed, doubts.never_arrived) == (2, 3)
    assert [order.order_id for order in doubts.executed_orders] == [4, 5]


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_took_much_longer_than_the_lease_is_late(kind: str) -> None:
    slowest = LEASE + 500.0
    assert figures_of(kind, [recovery(kind, slowest)], LEASE).late == ""
    late = figures_of(kind, [recovery(kind), recovery(kind, slowest + 1)], LEASE)
    assert late.late == "2501 ms is more than 2500"
    slow = recovery(kind, slowest + 1, exit_code=0)
    report = judged(evidence(**fault(slow)), LEASE, interrupted=False)
    assert report.late == [f"{kind}: {late.late}"]
    assert (report.ok, report.violations) == (False, [])


@pytest.mark.parametrize(
    ("kind", "fine", "slow"), [("kill", 99, 100), ("stop", 149, 150), ("pause", 2250, 2251)]
)
def test_a_missed_promise_shows_at_once_and_fails_from_ten_on(
    kind: str, fine: float, slow: float
) -> None:
    kept = figures_of(kind, [recovery(kind, fine)] * 10, LEASE)
    assert (kept.kept, kept.late) == (True, "")
    few = figures_of(kind, [recovery(kind, slow)] * 9, LEASE)
    assert (few.kept, few.late) == (False, "")
    enough = figures_of(kind, [recovery(kind, slow)] * 10, LEASE)
    assert not enough.kept
    assert enough.late.startswith(f"the median of {slow} ms is ")


def test_one_slow_recovery_among_many_is_shown() -> None:
    times = [recovery("pause", 2030.0)] * 9 + [recovery("pause", 2251.0)]
    figures = figures_of("pause", times, LEASE)
    assert (figures.kept, figures.late) == (False, "")
    # Nothing is promised for the others but that they end.
    assert figures_of("cut", times, LEASE).kept
    assert not figures_of("cut", [*times, recovery("cut", None)], LEASE).kept


def test_a_99th_percentile_counts_from_a_hundred_on() -> None:
    slow = recovery("kill", 500.0)
    assert figures_of("kill", [recovery()] * 97 + [slow] * 2, LEASE).late == ""
    assert figures_of("kill", [recovery()] * 99 + [slow], LEASE).late == ""
    late = figures_of("kill", [recovery()] * 98 + [slow] * 2, LEASE).late
    assert late == "the 99th percentile of 500 ms is not below 500"


def test_figures_are_of_what_recovered_and_count_what_did_not() -> None:
    times = [30.0, 10.0, 20.0, 40.0]
    (kill, cut) = all_figures(
        [recovery("cut", None), *(recovery("kill", ms) for ms in times), recovery("kill", None)],
        LEASE,
    )
    assert (kill.kind, kill.n, kill.never) == ("kill", 5, 1)
    assert (kill.min, kill.median, kill.p99, kill.max) == (10.0, 25.0, 40.0, 40.0)
    assert (cut.kind, cut.n, cut.never, cut.median) == ("cut", 1, 1, None)
    assert [kind for kind in KINDS if kind in ("kill", "cut")] == ["kill", "cut"]


def test_nearest_rank() -> None:
    values = [float(n) for n in range(1, 201)]
    assert nearest_rank(values, 0.99) == 198
    assert nearest_rank(values[:100], 0.99) == 99
    assert nearest_rank(values[:99], 0.99) == 99
    assert nearest_rank(values[:1], 0.99) == 1
