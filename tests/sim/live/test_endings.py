"""However a live run ends, there is a report or a readable directory, and no process is left."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.audit import Status, audit_recording
from sim.live.venue import LiveVenue
from sim.recording import open_run
from sim.recording.form import JOURNAL
from sim.run_report import RunReport
from tests.cli.processes import Marked
from tests.sim.live.stage import ENDLESS, Begin, Live
from tests.waiting import eventually, soon


async def trades(live: Live, running: "asyncio.Future[RunReport]") -> LiveVenue:
    """Waits until the market of this run is under way."""

    async def commands() -> int:
        assert not running.done(), running.result()
        return live.commands

    await eventually(commands, lambda count: count > 100)
    assert live.venue is not None
    return live.venue


async def hired(live: Live, running: "asyncio.Future[RunReport]") -> LiveVenue:
    """Waits until the venue of this run is open and its traders are on their way.

    For what comes at a time of its own: how many commands there are by then is up to the machine.
    """

    async def there() -> bool:
        assert not running.done(), running.result()
        return live.venue is not None and live.venue.cluster.traders is not None

    await eventually(there)
    assert live.venue is not None
    return live.venue


async def test_a_run_that_is_stopped_is_reported_as_far_as_it_came(
    begin: Begin, tmp_path: Path, server_dir: Path
) -> None:
    live = begin(ENDLESS)
    running = asyncio.ensure_future(live.run())
    await trades(live, running)
    live.stopping.set()
    report = await running
    assert report.interrupted
    assert report.verdict.problems == []
    assert report.audit is not None
    assert [check.status for check in report.audit.checks] == [Status.OK] * 8
    assert report.measures["lost"] == 0
    # Of the commands that were waited for, some may have been the venue's own.
    assert (report.measures["acknowledged"] or 0) > 50
    assert open_run(tmp_path / "run").interrupted == ""
    assert os.listdir(server_dir) == []


async def test_a_run_that_is_stopped_in_a_fault_is_reported_too(
    begin: Begin, tmp_path: Path
) -> None:
    text = ENDLESS.replace('"500ms"', '"20s"') + '[[event]]\nat = "1500ms"\ndo = "pause"\n'
    live = begin(text)
    running = asyncio.ensure_future(live.run())
    venue = await hired(live, running)

    async def stands_still() -> bool:
        return venue.faults._stopped is not None and venue.faults.struck > 0

    await eventually(stands_still)
    live.stopping.set()
    report = await running
    # The one that stood still goes on, as nobody else has taken over.
    assert report.interrupted
    assert report.verdict.problems == []
    assert report.audit is not None
    assert report.audit.ok
    assert report.measures["lost"] == 0
    assert (report.measures["faults"], report.measures["faults_unrecovered"]) == (1, 0)
    [row] = open_run(tmp_path / "run").faults
    assert (row.kind, row.recovered_us, row.cut_short) == ("pause", None, True)
    assert row.at >= 1_500_000_000


async def test_a_run_that_is_stopped_as_the_heir_leads_knows_the_heir(
    begin: Begin, tmp_path: Path
) -> None:
    live = begin(ENDLESS.replace('"500ms"', '"20s"') + '[[event]]\nat = "500ms"\ndo = "cut"\n')
    running = asyncio.ensure_future(live.run())
    venue = await hired(live, running)

    async def goes_on() -> bool:
        known = venue.faults.recovery
        return known is not None and None not in (known.elected_ms, known.recovered_ms)

    # Before the network is mended again.
    await eventually(goes_on)
    live.stopping.set()
    assert (await running).interrupted
    [row] = open_run(tmp_path / "run").faults
    assert (row.old_epoch, row.new_epoch) == (1, 2)
    assert row.new_leader not in ("", row.who)


async def test_a_run_that_is_stopped_before_it_began_is_reported_as_empty(begin: Begin) -> None:
    live = begin(ENDLESS)
    live.stopping.set()
    report = await live.run()
    assert report.interrupted
    assert report.verdict.problems == []
    assert report.measures["orders"] == 0


@pytest.mark.parametrize("seconds", [0.0, 0.3])
async def test_a_run_that_is_stopped_as_its_traders_are_hired_has_no_problem(
    begin: Begin, seconds: float
) -> None:
    live = begin(ENDLESS)
    running = asyncio.ensure_future(live.run())
    await hired(live, running)
    # At once, or where their process most likely loads what it needs.
    await asyncio.sleep(seconds)
    live.stopping.set()
    report = await running
    assert report.interrupted
    assert report.verdict.problems == []
    # On a busy machine the first orders may have come before the run was stopped.
    assert report.measures["lost"] == report.measures["doubled"] == 0


async def test_a_run_that_is_cancelled_ends_everything(begin: Begin, server_dir: Path) -> None:
    live = begin(ENDLESS)
    running = asyncio.ensure_future(live.run())
    venue = await trades(live, running)
    members = [*venue.cluster.nodes.values(), venue.cluster.traders]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert all(member is not None and not member.alive() for member in members)
    assert os.listdir(server_dir) == []


def kill_server(venue: LiveVenue) -> None:
    os.kill(venue._server.pid, signal.SIGKILL)


def kill_instances(venue: LiveVenue) -> None:
    for node in venue.cluster.nodes.values():
        node.signal(signal.SIGKILL)


def kill_traders(venue: LiveVenue) -> None:
    assert venue.cluster.traders is not None
    venue.cluster.traders.signal(signal.SIGKILL)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (kill_server, ["the private server ended by itself: it left no word"]),
        (
            kill_instances,
            [
                "node-1 ended by itself: killed by SIGKILL",
                "node-2 ended by itself: killed by SIGKILL",
                "no instance is left",
            ],
        ),
        (
            kill_traders,
            [
                "the traders ended by themselves: killed by SIGKILL",
                "the traders left no record of what they were told",
            ],
        ),
    ],
)
async def test_what_ends_by_itself_ends_the_run_and_is_told(
    begin: Begin,
    tmp_path: Path,
    server_dir: Path,
    end: Callable[[LiveVenue], None],
    said: list[str],
) -> None:
    live = begin(ENDLESS)
    running = asyncio.ensure_future(live.run())
    end(await trades(live, running))
    report = await running
    assert not report.ok
    assert not report.interrupted
    # Which of two that are killed at once is seen first is up to the machine.
    assert sorted(report.verdict.problems) == sorted(said)
    # What was until then is there, and sound.
    run = open_run(tmp_path / "run")
    assert bool(run.interrupted) == (end is kill_server)
    assert sum(entry.count for entry in run.entries()) > 100
    assert (await audit_recording(tmp_path / "run")).ok
    assert os.listdir(server_dir) == []


async def test_an_instance_that_ends_by_itself_is_told_and_the_run_goes_on(begin: Begin) -> None:
    live = begin(ENDLESS.replace('"1h"', '"2s"'))
    running = asyncio.ensure_future(live.run())
    venue = await hired(live, running)
    venue.cluster.nodes["node-2"].signal(signal.SIGKILL)
    report = await running
    assert not report.ok
    assert report.verdict.problems == ["node-2 ended by itself: killed by SIGKILL"]
    assert (report.measures["run_ms"] or 0) >= 2000
    assert report.measures["lost"] == 0


async def test_an_instance_that_ends_while_another_one_is_hit_is_told(begin: Begin) -> None:
    text = ENDLESS.replace('"1h"', '"1500ms"').replace("instances = 2", "instances = 3")
    live = begin(text.replace('"500ms"', '"1s"') + '[[event]]\nat = "800ms"\ndo = "pause"\n')
    running = asyncio.ensure_future(live.run())

    async def hit() -> str:
        """The instance that stands still, once there is one."""
        venue = live.venue
        if venue is None or venue.faults._stopped is None or not venue.faults.struck:
            return ""
        pid = venue.faults._stopped._pid
        return next(name for name, node in venue.cluster.nodes.items() if node.process.pid == pid)

    stopped = await eventually(hit)
    venue = live.venue
    assert venue is not None
    bystander = next(name for name in venue.cluster.nodes if name != stopped)
    venue.cluster.nodes[bystander].signal(signal.SIGKILL)
    report = await running
    assert report.verdict.problems == [f"{bystander} ended by itself: killed by SIGKILL"]
    assert not report.ok
    # The fault itself went well.
    assert report.measures["faults"] == 1
    assert report.measures["faults_unrecovered"] == 0


def test_a_runner_that_is_killed_leaves_a_readable_run_and_no_process(tmp_path: Path) -> None:
    path, out = tmp_path / "small.toml", tmp_path / "run"
    path.write_text(ENDLESS + '[[event]]\nat = "1s"\ndo = "pause"\n')
    with Marked() as marked:
        process = marked.start("sim", "run", str(path), "--out", str(out))
        soon(lambda: (out / JOURNAL).exists() and (out / JOURNAL).stat().st_size > 20_000)
        process.kill()
        process.communicate()
        marked.leave_nothing()
    run = open_run(out)
    assert run.interrupted
    assert sum(entry.count for entry in run.entries()) > 100
    # The last one may be of a moment in which nobody led.
    assert any(sample.leader for sample in run.samples)
    assert len(list(run.fills())) > 10
    verdict = asyncio.run(audit_recording(out))
    assert verdict.ok


def test_a_second_ctrl_c_ends_it_without_a_report(tmp_path: Path) -> None:
    path, out = tmp_path / "small.toml", tmp_path / "run"
    path.write_text(ENDLESS)
    with Marked() as marked:
        process = marked.start("sim", "run", str(path), "--out", str(out))
        soon(lambda: (out / JOURNAL).exists() and (out / JOURNAL).stat().st_size > 5_000)
        # Nobody answers what waits, so that the end of the run takes its time.
        engines = [pid for pid, line in marked.processes().items() if "engine" in line.split()]
        for pid in engines:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        line = process.stderr.readline()
        while line and "Stopping" not in line:
            line = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        told, err = process.communicate(timeout=30)
        assert len(engines) == 2
        assert process.returncode == 130
        assert told == ""
        assert "Traceback" not in err
        marked.leave_nothing()
    assert open_run(out).interrupted
