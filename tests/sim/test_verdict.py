"""Expectations are held against what was measured, and a broken run is never fine."""

import asyncio
from pathlib import Path

import pytest

from sim.audit import Verdict, audit_recording
from sim.scenario import Expectation
from sim.verdict import judge, shown
from tests.sim.evidence import story


def audited(directory: Path, *, broken: bool = False) -> Verdict:
    told = story()
    if broken:
        told.fills.pop()
        told.moment["last_fill"] = told.fills[-1].id.decode()
    return asyncio.run(audit_recording(told.write(directory / "run")))


@pytest.mark.parametrize(
    ("operator", "bound", "ok"),
    [
        ("=", 3, True),
        ("=", 4, False),
        ("!=", 4, True),
        ("!=", 3, False),
        ("<", 4, True),
        ("<", 3, False),
        ("<=", 3, True),
        ("<=", 2.9, False),
        (">", 2.5, True),
        (">", 3, False),
        (">=", 3, True),
        (">=", 4, False),
    ],
)
def test_each_operator(operator: str, bound: float, ok: bool) -> None:
    found = judge([Expectation("spread_median", operator, bound)], {"spread_median": 3}, None)
    assert found.ok is ok
    assert found.expectations[0].ok is ok
    assert bool(found.expectations[0].words) is not ok


def test_the_words_name_the_measure_what_was_found_and_what_was_wanted() -> None:
    wanted = Expectation("RAIN.spread_median", "<=", 3)
    found = judge([wanted], {"RAIN.spread_median": 7}, None)
    assert found.expectations[0].words == "RAIN.spread_median is 7 ticks, not <= 3"
    assert found.expectations[0].expected == "RAIN.spread_median <= 3"


def test_the_words_name_the_market_of_a_measure_that_is_of_one() -> None:
    names = ("halted_ms", "spread_p99", "trades", "faults", "SNOW.halted_ms")
    wanted = [Expectation(name, ">", 9) for name in names]
    values = dict.fromkeys(names, 0) | {"spread_p99": None}
    found = judge(wanted, values, None, market="RAIN")
    assert [one.words for one in found.expectations] == [
        "RAIN.halted_ms is 0 ms, not > 9",
        "RAIN.spread_p99: there was nothing to measure",
        "trades is 0 trades, not > 9",
        "faults is 0 faults, not > 9",
        "SNOW.halted_ms is 0 ms, not > 9",
    ]


def test_what_was_not_measured_is_not_met() -> None:
    expectations = [Expectation("recovery_ms_p99", "<", 500), Expectation("SNOW.trades", ">", 0)]
    found = judge(expectations, {"recovery_ms_p99": None}, None)
    assert not found.ok
    assert [one.words for one in found.expectations] == [
        "recovery_ms_p99: there was nothing to measure",
        "SNOW.trades is no measure of this run",
    ]


def test_a_run_with_a_problem_is_not_fine_though_all_is_met() -> None:
    met = [Expectation("lost", "=", 0)]
    assert judge(met, {"lost": 0}, None).ok
    found = judge(met, {"lost": 0}, None, ["node-2 did not come back"])
    assert not found.ok
    assert found.expectations[0].ok
    assert found.problems == ["node-2 did not come back"]


def test_a_run_whose_audit_fails_is_not_fine_though_nothing_was_expected(tmp_path: Path) -> None:
    assert judge([], {}, audited(tmp_path / "whole")).ok
    found = judge([], {}, audited(tmp_path / "broken", broken=True))
    assert not found.ok
    assert len(found.problems) == 1
    assert found.problems[0].startswith("audit: I5 FAIL")


def test_positions_that_do_not_sum_to_zero_are_a_problem() -> None:
    found = judge([], {"positions_sum": 3, "cash_sum": 0}, None)
    assert not found.ok
    assert found.problems == [
        "what the positions of all traders lack to a sum of 0: 3",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0, "0"),
        (1234567, "1,234,567"),
        (2.0, "2"),
        (0.5, "0.5"),
        (-0.125, "-0.125"),
        (1 / 3, "0.333"),
        (0.0004, "0.0004"),
        (12.34, "12.3"),
        (99.96, "100"),
        (12345.678, "12,345.7"),
    ],
)
def test_figures_as_people_read_them(value: float | None, text: str) -> None:
    assert shown(value) == text
