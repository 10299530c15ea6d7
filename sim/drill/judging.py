"""From what a drill has gathered to its verdict."""

import msgspec

from sim.audit import Verdict
from sim.drill.hash_board import HashBoard
from sim.drill.reckoning import Reckoning
from sim.drill.report import Doubts, DrillReport, FaultReport, all_figures
from sim.floor import FloorRecord
from sim.watcher import Watcher

MOST_DIFFERENCES = 5
"""Differing hashes told in words; after the first one all others differ as well."""


class Evidence(msgspec.Struct):
    """What everybody said: the traders, the watcher, the instances, the replay and the auditor.

    `refused` commits were turned away on their way; `seconds` is how long the market was open and
    `traded` how many commands it took in that time; `violations` are those found on the way.
    """

    faults: list[FaultReport]
    record: FloorRecord
    watcher: Watcher
    board: HashBoard
    reckoning: Reckoning
    verdict: Verdict
    refused: int
    seconds: float
    traded: int
    violations: list[str]


def judged(evidence: Evidence, lease_ms: int, *, interrupted: bool) -> DrillReport:
    """The report of a drill, with everything that is wrong in words."""
    record, reckoning, board = evidence.record, evidence.reckoning, evidence.board
    recoveries = [fault.recovery for fault in evidence.faults]
    figures = all_figures(recoveries, lease_ms)
    late = [f"{one.kind}: {one.late}" for one in figures if one.late]
    violations = _violations(evidence)
    orders = len(record.doubts)
    return DrillReport(
        ok=not violations and not late,
        interrupted=interrupted,
        seconds=round(evidence.seconds, 1),
        commands=reckoning.commands,
        commits=reckoning.commits,
        rate=round(evidence.traded / max(evidence.seconds, 0.001), 1),
        faults=evidence.faults,
        figures=figures,
        elections=len({one.epoch for one in evidence.watcher.sightings}),
        acknowledged=record.acknowledged,
        overloaded=record.overloaded,
        unsent=record.unsent,
        in_doubt=Doubts(
            record.in_doubt,
            orders,
            len(reckoning.executed),
            len(reckoning.never_arrived),
            record.in_doubt - orders,
            reckoning.executed,
        ),
        lost=len(reckoning.lost),
        doubled=len(reckoning.doubled),
        zombie_commits=sum(one.commits_held for one in recoveries),
        zombie_commits_refused=evidence.refused,
        hashes_compared=board.count,
        hashes_differing=len(board.differing(reckoning.hashes)),
        audit=evidence.verdict,
        violations=violations,
        late=late,
    )


def _violations(evidence: Evidence) -> list[str]:
    reckoning, wrong = evidence.reckoning, list(evidence.violations)
    for fault in evidence.faults:
        if fault.hashes is not None:
            fault.hashes.replayed = reckoning.hashes.get(fault.hashes.seq, "")
        wrong += _wrong_with(fault)
    if evidence.watcher.broken is not None:
        wrong.append(f"the journal broke while it was watched: {evidence.watcher.broken}")
    if reckoning.broken is not None:
        wrong.append(f"the journal can't be replayed: {reckoning.broken}")
    if reckoning.altered is not None:
        wrong.append(f"the journal at {reckoning.altered} is not what was seen there")
    for ids, words in ((reckoning.lost, "lost"), (reckoning.doubled, "doubled")):
        if ids:
            wrong.append(f"orders {words}: {len(ids)}, the first is {min(ids)}")
    wrong += evidence.board.differing(reckoning.hashes)[:MOST_DIFFERENCES]
    wrong += [check.line() for check in evidence.verdict.checks if not check.ok]
    return wrong


def _wrong_with(fault: FaultReport) -> list[str]:
    one, wrong = fault.recovery, []
    if one.recovered_ms is None:
        wrong.append("the market did not go on")
    if one.commits_refused < one.commits_held:
        wrong.append("a commit that came after its leader's end was not refused")
    if one.kind == "stop" and one.exit_code != 0:
        wrong.append(f"it ended with code {one.exit_code} instead of 0")
    if fault.hashes is not None and not fault.hashes.equal:
        wrong.append(f"the states at {fault.hashes.seq} differ")
    return [f"fault {fault.number} ({one.kind} {one.who}): {words}" for words in wrong]
