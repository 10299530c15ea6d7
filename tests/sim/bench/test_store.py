"""The benchmark of the store: every order queued, every commit in the journal, and its rows."""

import pytest

from sim.bench.report import Plan
from sim.bench.store import BATCHES, bench_store


async def test_a_tiny_run_compares_every_batch() -> None:
    said: list[str] = []
    report = await bench_store(Plan(rounds=2, seconds=0.02), said.append)
    assert report.problems == []
    assert len(said) == 2
    assert [(row.what, row.against) for row in report.rows] == [
        (what, against)
        for batch in BATCHES
        for what, against in (
            (f"SUBMIT of {batch}", f"RPUSH, {batch} in flight"),
            (f"SUBMIT of {batch}, the script alone", f"RPUSH, {batch} in flight"),
            (f"peek of {batch}", f"RPUSH, {batch} in flight"),
            (f"COMMIT of {batch} and peek", f"XADD, {batch} in flight"),
        )
    ] + [("COMMIT of 256 and peek", "matching them")]
    assert all(len(row.ratios) == 2 and min(row.ratios) > 0 for row in report.rows)
    assert [row.what for row in report.rows if row.goal] == [
        "SUBMIT of 256",
        "COMMIT of 256 and peek",
    ]
    assert set(report.rows[-1].more) == {
        "us of the processor to commit a command",
        "us of the processor to match a command",
    }
    assert report.rows[-1].ratio == pytest.approx(
        report.rows[-1].value / (report.rows[-1].base or 0), rel=0.5
    )
