"""The report as rows for a terminal."""

from msgspec.structs import replace

from sim.report import lines, tables
from sim.scenario import Expectation
from tests.sim.report.reported import measured, told


def test_figures_kinds_and_expectations() -> None:
    report = told(None, Expectation("trades", ">", 1)).report
    found = {table.name: table for table in tables(report)}
    assert list(found) == ["Figures", "Kinds of agents", "Expectations"]
    for table in found.values():
        assert all(len(row) == len(table.titles) for row in table.rows)
    figures = {name: (value, unit) for name, value, unit in found["Figures"].rows}
    measures = measured().values
    assert figures["trades"] == (f"{measures['trades']:,}", "trades")
    assert figures["recovery_ms_median"] == ("20", "ms")
    # Nobody audited.
    assert "lost" not in figures
    assert {row[0] for row in found["Kinds of agents"].rows} == {"noise", "market-maker", "others"}
    assert found["Expectations"].rows == [("trades > 1", f"{measures['trades']:,}", "met")]


def test_without_expectations_there_is_no_table_of_them() -> None:
    assert [table.name for table in tables(told().report)] == ["Figures", "Kinds of agents"]
    assert lines(told().report) == ["Nothing was expected, and nothing is wrong."]


def test_the_last_lines_say_what_is_wrong_and_then_the_verdict() -> None:
    wanted = (Expectation("trades", ">", 1), Expectation("faults", "=", 0))
    report = told(None, *wanted, interrupted=True).report
    assert lines(report) == [
        "NOT MET: faults is 2 faults, not = 0",
        "Ended early. Not as expected: 1 of 2 expectations are met.",
    ]
    broken = told(None, wanted[0], problems=("it broke",)).report
    assert lines(broken) == ["WRONG: it broke", "The run is not sound: see what is wrong above."]
    fine = told(None, wanted[0]).report
    assert lines(fine) == ["As expected: 1 of 1 expectations are met."]
    assert lines(replace(fine, interrupted=True))[-1].startswith("Ended early. As expected")
