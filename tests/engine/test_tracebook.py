"""An outside opinion: Tracebook's reference engine and ours must agree on every observation."""

import os
import sys
from pathlib import Path

import pytest
from tracebook.conformance import (
    ConformanceSuite,
    ExternalProcessAdapterFactory,
    copy_bundled_conformance_suite,
    run_conformance,
    run_qualification,
    write_qualification_artifacts,
)

ADAPTER = Path(__file__).with_name("tracebook_adapter.py")
ROOT = ADAPTER.parents[2]
SELF_TRADE_CASES = ("stp-cancel-incoming", "stp-cancel-resting", "stp-cancel-resting-deep")


@pytest.fixture
def candidate(monkeypatch: pytest.MonkeyPatch) -> ExternalProcessAdapterFactory:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    return ExternalProcessAdapterFactory([sys.executable, str(ADAPTER)], timeout_seconds=30)


@pytest.fixture
def suite(tmp_path: Path) -> ConformanceSuite:
    return copy_bundled_conformance_suite(tmp_path / "suite", suite_version="v2")


@pytest.mark.timeout(300)
def test_engine_qualifies_for_the_full_fifo_profile(
    candidate: ExternalProcessAdapterFactory, tmp_path: Path
) -> None:
    # Each trace is a process: few long ones see as much as many short ones, in half the time.
    result = run_qualification(
        candidate, "fifo-full-v1", suite_version="v2", seed=2026, traces=60, events_per_trace=200
    )
    write_qualification_artifacts(result, tmp_path / "report")
    assert result.campaign.failure is None
    assert result.fixed_cases_passed == len(result.selected_cases) == 5
    assert len(result.campaign.traces) == 60
    assert result.coverage_complete
    assert result.qualified


@pytest.mark.parametrize("name", SELF_TRADE_CASES)
def test_engine_agrees_on_self_trade_prevention(
    candidate: ExternalProcessAdapterFactory, suite: ConformanceSuite, name: str
) -> None:
    case = next(case for case in suite.cases if case.name == name)
    report = run_conformance(case.load_events(), candidate, config=case.config, trace_name=name)
    assert report.divergence is None
    assert report.conformant
    assert report.compared_events == len(case.load_events())
