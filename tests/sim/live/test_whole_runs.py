"""A scenario is run live: all that happens in it is in the recording, and nothing is lost."""

import os
from pathlib import Path

from matchbox_tui.engine import MarketHalted, MarketResumed, OrderAccepted
from sim.audit import Status
from sim.hiring import BURST
from sim.recording import open_run
from tests.sim.live.stage import CROWD, Begin

EVENTFUL = f"""\
duration = "5s"
instances = 3
lease = "500ms"
expect = [
    "lost = 0", "doubled = 0", "audit_failed = 0", "hashes_differing = 0", "overloaded = 0",
    "faults = 4", "faults_unrecovered = 0", "elections >= 2", "refused_commits >= 1",
    "trades >= 100", "halted_ms >= 100",
]
{CROWD}
[[event]]
at = "0s"
do = "halt"
market = "RAIN"

[[event]]
at = "300ms"
do = "resume"
market = "RAIN"

[[event]]
at = "500ms"
do = "burst"
market = "RAIN"
orders = 1100
side = "sell"

[[event]]
at = "800ms"
do = "kill"

[[event]]
at = "1500ms"
do = "pause"

[[event]]
at = "2500ms"
do = "cut"
who = "node-3"

[[event]]
at = "3500ms"
do = "restart-server"

[[event]]
at = "4s"
do = "news"
market = "RAIN"
by = 10
"""


async def test_faults_halts_and_bursts_leave_nothing_lost_or_doubled(
    begin: Begin, tmp_path: Path, server_dir: Path
) -> None:
    live = begin(EVENTFUL)
    report = await live.run()
    assert report.ok, report.verdict
    assert not report.interrupted
    assert report.audit is not None
    assert [check.status for check in report.audit.checks] == [Status.OK] * 8
    run = open_run(tmp_path / "run")
    assert run.interrupted == ""
    assert [row.kind for row in run.faults] == ["kill", "pause", "cut", "restart-server"]
    kill, pause, cut, restart = run.faults
    assert kill.new_epoch == kill.old_epoch + 1
    assert kill.new_leader != kill.who
    assert pause.refused >= 1
    assert cut.who == "node-3"
    assert restart.who == "server"
    assert 0 < (restart.back_us or 0) < (restart.recovered_us or 0)
    assert 800_000_000 <= kill.at < pause.at < cut.at < restart.at
    assert len([line for line in live.lines if "first commit after" in line]) == 4
    assert os.listdir(server_dir) == []


async def test_the_recording_tells_the_whole_run(begin: Begin, tmp_path: Path) -> None:
    text = EVENTFUL.partition('[[event]]\nat = "800ms"')[0]
    text = text.replace('"5s"', '"2s"').partition("expect")[0] + CROWD + text.partition(CROWD)[2]
    live = begin(text)
    report = await live.run()
    assert report.ok, report.verdict
    run = open_run(tmp_path / "run")
    events = [event for entry in run.entries() for event in entry.events]
    halted = next(event for event in events if isinstance(event, MarketHalted))
    resumed = next(event for event in events if isinstance(event, MarketResumed))
    assert halted.seq < resumed.seq
    burst = [
        event
        for event in events
        if isinstance(event, OrderAccepted) and event.order.trader.startswith(BURST)
    ]
    # More than one submit may hold.
    assert len(burst) == 1100
    assert [trader.kind for trader in run.roster if trader.name == burst[0].order.trader] == [BURST]
    traders = {event.order.trader for event in events if isinstance(event, OrderAccepted)}
    assert traders <= {trader.name for trader in run.roster}
    assert len(traders) > 20
    record = run.record
    assert record is not None
    assert record.commands == record.acknowledged > len(burst)
    assert (record.in_doubt, record.unsent) == (0, 0)
    # Who traded did so in the time of the run, which the samples cover.
    times = [event.timestamp - run.facts.start for event in burst]
    assert 500_000_000 <= min(times) <= max(times)
    samples = run.samples
    assert [sample.at for sample in samples] == sorted(sample.at for sample in samples)
    assert len(samples) >= 15
    assert samples[-1].seq == events[-1].seq
    assert samples[-1].at >= 2_000_000_000
    assert {sample.leader for sample in samples[1:]} == {report_leader(samples[-1].leader)}
    assert len(list(run.hashes())) >= 2
    assert live.progress[-1].leader == samples[-1].leader


def report_leader(name: str) -> str:
    assert name.startswith("node-")
    return name
