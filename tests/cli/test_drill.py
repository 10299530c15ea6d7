"""``matchbox drill``: its verdict, its progress, its exit codes, and what it leaves: nothing."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from matchbox_tui.store import Keys, Server
from tests.cli.command import Result, call
from tests.cli.processes import Marked
from tests.waiting import soon

SMALL = ("--rate", "400", "--instances", "2", "--traders", "5", "--lease-ms", "5000")
"""Nothing but a pause waits for the lease; so long a one makes nobody late on a slow machine."""

ENDLESS = (*SMALL, "--kills", "1000")


@pytest.fixture
def marked() -> Iterator[Marked]:
    with Marked() as started:
        yield started


def finished(process: subprocess.Popen[str]) -> Result:
    out, err = process.communicate(timeout=100)
    return Result(process.returncode, out, err)


def progress(process: subprocess.Popen[str], lines: int) -> list[str]:
    """Waits until so many faults were told."""
    assert process.stderr is not None
    return [process.stderr.readline() for _ in range(lines + 1)]


def test_a_drill_for_a_person(marked: Marked) -> None:
    kinds = "kill,redis,cut,reply-lost"
    done = finished(marked.start("drill", *SMALL, "--kills", "4", "--fault", kinds))
    assert done.code == 0, done
    first, *told = done.err.splitlines()
    assert first == (
        "2 instances, 400 commands a second, lease 5000 ms, 4 faults: kill, redis, cut, reply-lost"
    )
    assert [line.split()[0] for line in told] == ["1/4", "2/4", "3/4", "4/4"]
    assert sorted(line.split()[1] for line in told) == sorted(kinds.split(","))
    lines = done.out.splitlines()
    assert lines[0].split() == (
        ["fault", "kind", "hit", "ms", "at", "old", "leader", "new", "leader", "replay", "state"]
    )
    assert all(line.endswith("  same") for line in lines[1:5])
    facts = dict(line.split(None, 1) for line in lines if line.startswith(("lost", "doubled")))
    assert facts == {"lost": "0", "doubled": "0"}
    assert [line[:5] for line in lines if line.startswith("I")] == [f"I{n} ok" for n in range(1, 9)]
    recoveries = lines[lines.index("") + 2 :][:4]
    assert [line.split()[0] for line in recoveries] == kinds.split(",")
    assert [line.split()[1] for line in recoveries] == ["1"] * 4
    assert all(line.endswith(("  yes", "  not here")) for line in recoveries)
    assert lines[-1] == "Nothing that was acknowledged was lost, doubled or reordered."
    marked.leave_nothing()


def test_a_drill_for_a_program_and_for_later(marked: Marked, tmp_path: Path) -> None:
    kept = tmp_path / "new" / "run"
    options = ("--kills", "2", "--fault", "stop,kill", "--json", "--out", str(kept))
    done = finished(marked.start("drill", *SMALL, *options))
    assert done.code == 0, done
    report: dict[str, Any] = done.json()
    assert report["ok"]
    assert (report["violations"], report["late"], report["interrupted"]) == ([], [], False)
    assert (report["lost"], report["doubled"]) == (0, 0)
    assert sorted(fault["recovery"]["kind"] for fault in report["faults"]) == ["kill", "stop"]
    assert report["elections"] == 3
    assert report["acknowledged"] > 100
    assert [check["status"] for check in report["audit"]["checks"]] == ["ok"] * 8
    assert json.loads((kept / "drill.json").read_text()) == report
    assert "Became engine leader" in (kept / "node-1.log").read_text()
    audited = call("audit", str(kept), "--json")
    assert audited.code == 0
    assert audited.json()["last"] == report["commands"]
    again = call("drill", "--out", str(kept)).refusal(2)
    assert "holds a recording already: choose another directory" in again
    marked.leave_nothing()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--kills 0", "--kills 0: use a number between 1 and 10000"),
        ("--kills -1", "--kills -1: use a number between 1 and 10000"),
        ("--kills many", "Invalid value for '--kills'"),
        ("--fault flood", "--fault 'flood': use one or more of kill, pause, stop, redis, cut"),
        ("--fault kill,flood,fire", "--fault 'flood,fire': use one or more of kill, pause"),
        ("--fault ,", "--fault ',': use one or more of kill, pause"),
        ("--instances 1", "--instances 1: use a number between 2 and 9"),
        ("--traders 0", "--traders 0: use a number between 1 and 10000"),
        ("--rate 49", "--rate 49: use a number between 50 and 20000"),
        ("--lease-ms 199", "--lease-ms 199: use a number between 200 and 60000"),
        ("--out /dev/null", "--out: can't make the directory /dev/null (File exists)"),
        ("--out=", "'--out' (env var: 'MATCHBOX_OUT'): it is empty; name a directory"),
        ("--out /proc", "--out: can't write into the directory /proc (No such file"),
        ("--out /dev/null/run", "can't make the directory /dev/null/run (Not a directory)"),
        ("--out /proc/run", "can't make the directory /proc/run (No such file or directory)"),
        ("--nope", "No such option"),
    ],
)
def test_what_can_t_be_done_is_told_before_anything_starts(arguments: str, words: str) -> None:
    assert words in call("drill", *arguments.split()).refusal(2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_a_report(marked: Marked, number: signal.Signals) -> None:
    process = marked.start("drill", *ENDLESS, "--json", "--fault", "kill,cut")
    progress(process, 2)
    process.send_signal(number)
    done = finished(process)
    assert done.code == 130, done
    report = done.json()
    assert report["interrupted"]
    assert 2 <= len(report["faults"]) < 1000
    assert report["violations"] == []
    assert report["acknowledged"] > 100
    assert "Traceback" not in done.err
    marked.leave_nothing()


def test_a_second_signal_ends_it_without(marked: Marked) -> None:
    process = marked.start("drill", *ENDLESS)
    progress(process, 1)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    done = finished(process)
    assert done.code == 130
    assert done.out == ""
    assert "Traceback" not in done.err
    marked.leave_nothing()


@pytest.mark.parametrize("delay", [0.05, 0.3, 0.8])
def test_a_signal_at_the_very_start(marked: Marked, delay: float) -> None:
    process = marked.start("drill", *SMALL)
    soon(marked.processes)
    time.sleep(delay)
    process.send_signal(signal.SIGTERM)
    done = finished(process)
    assert done.code != 0
    assert "Traceback" not in done.err
    marked.leave_nothing()


def test_killed_while_the_leader_stands_still_it_leaves_nothing(marked: Marked) -> None:
    process = marked.start("drill", *ENDLESS, "--fault", "pause")
    progress(process, 0)
    soon(lambda: any(stands_still(pid) for pid in marked.processes()))
    process.kill()
    process.communicate(timeout=30)
    marked.leave_nothing()


def stands_still(pid: int) -> bool:
    shown = subprocess.run(
        ["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.startswith("T")


def test_killed_while_the_server_is_away_it_leaves_nothing(marked: Marked) -> None:
    process = marked.start("drill", *ENDLESS, "--fault", "redis")
    progress(process, 1)

    def server_is_away() -> bool:
        return not any("valkey-server" in line.split()[0] for line in marked.processes().values())

    soon(server_is_away)
    process.kill()
    process.communicate(timeout=30)
    marked.leave_nothing()


def test_a_dead_server_is_told(marked: Marked) -> None:
    """One that nobody in the drill has killed, so that nobody starts it again."""
    process = marked.start("drill", *ENDLESS, "--fault", "kill")
    progress(process, 1)
    for pid, line in marked.processes().items():
        if "valkey-server" in line.split()[0]:
            os.kill(pid, signal.SIGKILL)
    done = finished(process)
    assert done.code == 3, done
    assert done.out == ""
    assert "the private server ended by itself: " in done.err.splitlines()[-1]
    marked.leave_nothing()


async def test_a_sabotaged_venue_fails(marked: Marked) -> None:
    process = marked.start("drill", *SMALL, "--kills", "3", "--fault", "kill")
    progress(process, 1)
    (socket,) = marked.temporary.glob("matchbox-*/server.sock")
    link = Server(f"unix://{socket}", timeout_s=10).link("saboteur")
    queue = Keys("").queue
    while b'"side"' not in (await link.call("BLPOP", queue, "5"))[1]:
        pass
    await link.close()
    done = finished(process)
    assert done.code == 1
    wrong = [line for line in done.out.splitlines() if line.startswith("WRONG: ")]
    assert wrong[0].startswith("WRONG: orders lost: 1, the first is ")
    assert any(line.startswith("WRONG: I1 FAIL") for line in wrong)
    assert "Nothing that was acknowledged was lost" not in done.out
    marked.leave_nothing()
