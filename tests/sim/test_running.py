"""A scenario is run to its report, or as far as it was let."""

import asyncio
import errno
import json
from pathlib import Path

import msgspec
import pytest

from matchbox_tui.engine import Market
from sim.measuring import evidence_of, measure
from sim.recording import RecordingError, indexed, indexing, open_run
from sim.running import Progress, RunReport, run_scenario
from sim.scenario import Burst, Expectation, Kill, Latency, MarketPlan, Scenario
from sim.scenario.standard import standard_population

SECOND = 1_000_000_000
TEXT = 'name = "small"  # as it was written\n'


def scenario(*expectations: Expectation, seconds: int = 4) -> Scenario:
    return Scenario(
        name="small",
        title="A small <run>",
        seed=3,
        duration=seconds * SECOND,
        markets=(MarketPlan(market=Market.prediction("RAIN"), opening=50),),
        populations=standard_population(20, SECOND // 10),
        happenings=(
            Kill(at=SECOND),
            Burst(at=2 * SECOND, market="RAIN", orders=30, side="sell", qty=5),
        ),
        expectations=expectations,
    )


class Watching:
    """What a caller hears, and how it says that it is enough."""

    def __init__(self, enough: int = 10**9) -> None:
        self.lines: list[str] = []
        self.progress: list[Progress] = []
        self._enough = enough

    def is_set(self) -> bool:
        return bool(self.progress) and len(self.progress) >= self._enough


def run(
    plan: Scenario, out: Path | None = None, watching: Watching | None = None, **more: int
) -> RunReport:
    watching = watching or Watching()
    return asyncio.run(
        run_scenario(
            plan,
            TEXT,
            virtual=True,
            out=out,
            say=watching.lines.append,
            progress=watching.progress.append,
            stopping=watching,
            **more,  # type: ignore[arg-type]  # the seed
        )
    )


def test_a_run_is_kept_with_its_scenario_its_measures_its_verdict_and_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "EVERY", 50)
    wanted = Expectation("lost", "=", 0), Expectation("faults", "=", 1)
    out = tmp_path / "run"
    report = run(scenario(*wanted), out)
    assert report.ok
    assert report.directory == str(out)
    assert (out / "scenario.toml").read_text() == TEXT
    figures = json.loads((out / "measures.json").read_text())
    assert figures["values"] == report.measures
    assert figures["values"]["trades"] > 50
    verdict = json.loads((out / "verdict.json").read_text())
    assert verdict["verdict"]["ok"] is True
    assert [one["measure"] for one in verdict["verdict"]["expectations"]] == ["lost", "faults"]
    assert [check["status"] for check in verdict["audit"]["checks"]] == ["ok"] * 8
    page = (out / "report.html").read_text()
    assert "A small &lt;run&gt;" in page
    assert "<run>" not in page
    # A replay goes anywhere at once, by the same index that it would have made itself.
    heard: list[object] = []
    found = indexed(open_run(out), lambda *how_far: heard.append(how_far), heard.append).index
    assert not heard
    assert found.seq == figures["values"]["commands"]
    states = (out / "checkpoints.gz").read_bytes()
    (out / "index.json").unlink()
    assert indexed(open_run(out), lambda *how_far: heard.append(how_far)).index == found
    assert heard
    assert (out / "checkpoints.gz").read_bytes() == states
    # What was recorded says the same to whoever measures it again.
    again = measure(evidence_of(open_run(out)), report.audit, ["RAIN"])
    assert again.values == report.measures


def test_an_index_that_can_not_be_written_is_missed_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(indexing.Indexer, "see", full)
    assert run(scenario(seconds=1), tmp_path / "run").ok
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert "report.html" in left
    assert not {"index.json", "checkpoints.gz", "checkpoints.gz.new"} & left


def test_an_expectation_that_is_not_met_makes_the_run_fail() -> None:
    report = run(scenario(Expectation("trades", "<", 1), Expectation("lost", "=", 0)))
    assert not report.ok
    assert report.directory == ""
    assert [one.ok for one in report.verdict.expectations] == [False, True]
    assert report.audit is not None
    assert report.audit.ok


def test_the_same_seed_gives_the_same_figures_and_the_same_page(tmp_path: Path) -> None:
    first = run(scenario(), tmp_path / "a")
    second = run(scenario(), tmp_path / "b")
    other = run(scenario(), tmp_path / "c", seed=4)
    assert first.measures == second.measures != other.measures
    pages = [(tmp_path / name / "report.html").read_bytes() for name in "abc"]
    assert pages[0] == pages[1] != pages[2]
    assert other.seed == 4


def test_a_run_that_is_ended_early_is_reported_as_far_as_it_went(tmp_path: Path) -> None:
    watching = Watching(enough=1)
    report = run(scenario(seconds=4000), tmp_path / "run", watching)
    assert report.interrupted
    assert report.verdict.interrupted
    assert 0 < (report.measures["run_ms"] or 0) < 3_000_000
    assert report.measures["lost"] == 0
    assert open_run(tmp_path / "run").interrupted == ""
    assert "ended early" in (tmp_path / "run" / "report.html").read_text()


def test_what_is_on_its_way_at_the_end_counts_as_if_it_had_come_then() -> None:
    plan = scenario(Expectation("run_ms", "=", 2_500), seconds=2)
    makers, *others = standard_population(20, SECOND // 10)
    late = Latency(least=3600 * SECOND, jitter=0)
    plan = msgspec.structs.replace(
        plan,
        duration=SECOND * 5 // 2,
        populations=(makers, *(msgspec.structs.replace(one, latency=late) for one in others)),
        happenings=(),
    )
    report = run(plan)
    assert report.ok
    # Only those who are late take.
    assert (report.measures["trades"] or 0) > 0


def test_progress_is_told_while_it_runs() -> None:
    watching = Watching(enough=3)
    run(scenario(seconds=4000), watching=watching)
    ats = [one.at for one in watching.progress]
    assert ats == sorted(ats)
    assert len(ats) >= 3
    assert watching.progress[-1].commands > 0
    assert watching.progress[-1].leader
    assert watching.progress[-1].duration == 4000 * SECOND


async def test_a_cancelled_run_leaves_what_was_and_no_thread_behind(tmp_path: Path) -> None:
    begun = asyncio.Event()

    def told(_: Progress) -> None:
        begun.set()

    work = asyncio.ensure_future(
        run_scenario(
            scenario(seconds=4000),
            TEXT,
            virtual=True,
            out=tmp_path / "run",
            say=lambda _: None,
            progress=told,
            stopping=asyncio.Event(),
        )
    )
    await asyncio.wait_for(begun.wait(), 30)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert open_run(tmp_path / "run").roster
    assert not (tmp_path / "run" / "report.html").exists()


def test_a_directory_that_holds_a_run_is_refused_before_it_begins(tmp_path: Path) -> None:
    run(scenario(seconds=1), tmp_path)
    watching = Watching()
    with pytest.raises(RecordingError, match="choose another directory"):
        run(scenario(), tmp_path, watching)
    assert watching.progress == []


def test_a_report_is_json() -> None:
    report = run(scenario(seconds=1))
    assert msgspec.json.decode(msgspec.json.encode(report), type=RunReport) == report
