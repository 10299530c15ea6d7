"""A run whose realism is asked for."""

import asyncio
import json
from pathlib import Path

from matchbox_tui.engine import Market
from sim.realism import FACTS, score
from sim.recording import open_run
from sim.report import lines, tables
from sim.run_report import RunReport
from sim.running import run_scenario
from sim.scenario import MarketPlan, Scenario
from sim.scenario.standard import standard_population

SECOND = 1_000_000_000


def run(out: Path | None = None, *, realism: bool = True) -> RunReport:
    plan = Scenario(
        name="small",
        seed=3,
        duration=8 * SECOND,
        markets=(MarketPlan(market=Market.prediction("RAIN"), opening=50),),
        populations=standard_population(60, SECOND // 20),
    )
    return asyncio.run(
        run_scenario(
            plan,
            "",
            virtual=True,
            out=out,
            say=lambda _: None,
            progress=lambda _: None,
            stopping=asyncio.Event(),
            realism=realism,
        )
    )


def test_the_scorecard_is_in_the_report_the_verdict_the_page_and_on_the_terminal(
    tmp_path: Path,
) -> None:
    report = run(tmp_path)
    assert report.realism is not None
    (rain,) = report.realism.markets
    # Fills of one taker at one moment are one trade.
    assert 1000 < rain.trades < (report.measures["trades"] or 0)
    holds, lacks, unknown = rain.counts
    assert holds + lacks + unknown == len(FACTS)
    assert lacks > 0
    assert unknown > 0
    # What is unlike a real market is nothing that went wrong.
    assert report.ok
    kept = json.loads((tmp_path / "verdict.json").read_text())
    assert [one["name"] for one in kept["realism"]["markets"][0]["findings"]] == list(FACTS)
    page = (tmp_path / "report.html").read_text()
    assert "Realism of RAIN" in page
    assert "Engle and Russell (1998)" in page
    table = {one.name: one for one in tables(report)}["Realism of RAIN"]
    assert [row[0] for row in table.rows] == list(FACTS)
    assert {row[3] for row in table.rows} == {"pass", "fail", "-"}
    said = lines(report)
    assert said[0].startswith(f"Realism of RAIN: {holds} facts hold, {lacks} don't; of {unknown}")
    assert said[1] == "No verdict depends on realism."
    # Whoever asks the directory later hears the same, and so does who runs it again.
    assert score(open_run(tmp_path)) == report.realism == run().realism


def test_nobody_is_told_who_does_not_ask(tmp_path: Path) -> None:
    report = run(tmp_path, realism=False)
    assert report.realism is None
    assert "realism" not in json.loads((tmp_path / "verdict.json").read_text())
    assert "Realism" not in (tmp_path / "report.html").read_text()
    assert not any("ealism" in line for line in lines(report))
