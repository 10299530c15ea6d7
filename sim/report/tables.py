"""The report as rows, for the terminal and for the page alike."""

from collections.abc import Sequence

import msgspec

from sim.measuring import MEASURES, Measures, Scope
from sim.realism import FACTS, MarketScore
from sim.run_report import RunReport
from sim.verdict import Value, shown

KEY_MEASURES = (
    "commands",
    "rate",
    "trades",
    "volume",
    "spread_median",
    "depth_median",
    "price_drop_max",
    "faults",
    "recovery_ms_median",
    "recovery_ms_p99",
    "queue_max",
    "lost",
    "doubled",
    "in_doubt",
    "overloaded",
    "audit_failed",
)
"""What everybody asks first."""


class Table(msgspec.Struct, frozen=True):
    """Titles of columns, and rows of as many cells."""

    name: str
    titles: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def tables(report: RunReport) -> list[Table]:
    """What the terminal shows of a run, in this order: figures, kinds, realism where it was asked
    for, expectations. Those that would be empty are left out.
    """
    found = [figures(report.measures, KEY_MEASURES), kinds(report)]
    if report.realism is not None:
        found += [_scored(one) for one in report.realism.markets]
    found.append(expectations(report))
    return [table for table in found if table.rows]


def lines(report: RunReport) -> list[str]:
    """What is said after the tables, the verdict last."""
    said = realism_lines(report)
    if said:
        said.append("No verdict depends on realism.")
    said += [f"WRONG: {words}" for words in report.verdict.problems]
    said += [f"NOT MET: {one.words}" for one in report.verdict.expectations if not one.ok]
    return [*said, conclusion(report)]


def conclusion(report: RunReport) -> str:
    """The verdict in one sentence."""
    verdict = report.verdict
    met = sum(one.ok for one in verdict.expectations)
    count = len(verdict.expectations)
    early = "Ended early. " if report.interrupted else ""
    if verdict.problems:
        return f"{early}The run is not sound: see what is wrong above."
    if not count:
        return f"{early}Nothing was expected, and nothing is wrong."
    if met == count:
        return f"{early}As expected: {count} of {count} expectations are met."
    return f"{early}Not as expected: {met} of {count} expectations are met."


def figures(values: dict[str, Value], names: Sequence[str]) -> Table:
    """Measures with their units; those with nothing to measure are left out."""
    rows = [
        (name, shown(values[name]), MEASURES[name].unit)
        for name in names
        if values.get(name) is not None
    ]
    return Table("Figures", ("measure", "value", "unit"), rows)


def kinds(report: RunReport) -> Table:
    rows = [
        (
            one.kind,
            f"{one.agents:,}",
            f"{one.orders:,}",
            f"{one.trades:,}",
            f"{one.volume:,}",
            shown(one.order_to_trade_ratio),
            f"{one.position:,}",
            f"{one.profit:,}",
        )
        for one in report.kinds
    ]
    titles = ("kind", "agents", "orders", "trades", "volume", "per trade", "position", "profit")
    return Table("Kinds of agents", titles, rows)


def _scored(one: MarketScore) -> Table:
    """A market's realism, as short as it can be told."""
    rows = [
        (found.name, shown(found.figure), FACTS[found.name].wanted, _held(found.ok))
        for found in one.findings
    ]
    return Table(
        f"Realism of {one.symbol}",
        (f"realism of {one.symbol}", "found", "like real ones", "outcome"),
        rows,
    )


def realism(report: RunReport) -> list[Table]:
    """The markets' realism, with what was computed, what it means, and where it is known from."""
    if report.realism is None:
        return []
    titles = ("fact", "found", "like real ones", "outcome", "what it means", "what is computed")
    return [
        Table(
            f"Realism of {one.symbol}",
            (*titles, "known from"),
            [
                (
                    found.name.replace("_", " "),
                    shown(found.figure),
                    FACTS[found.name].wanted,
                    _held(found.ok),
                    found.words,
                    FACTS[found.name].figure,
                    FACTS[found.name].source,
                )
                for found in one.findings
            ],
        )
        for one in report.realism.markets
    ]


def realism_lines(report: RunReport) -> list[str]:
    """A line for each market that was held against real ones."""
    said = []
    for one in report.realism.markets if report.realism is not None else ():
        holds, lacks, unknown = one.counts
        short = f"; of {unknown} there was too little to tell" if unknown else ""
        said.append(f"Realism of {one.symbol}: {holds} facts hold, {lacks} don't{short}.")
    return said


def _held(ok: bool | None) -> str:
    return "-" if ok is None else "pass" if ok else "fail"


def expectations(report: RunReport) -> Table:
    rows = [
        (one.expected, shown(one.value), "met" if one.ok else "NOT MET")
        for one in report.verdict.expectations
    ]
    return Table("Expectations", ("expected", "found", "outcome"), rows)


def audit(report: RunReport) -> Table:
    """The eight invariants; none where there was no audit."""
    checks = report.audit.checks if report.audit is not None else []
    rows = [(check.name, check.title, str(check.status), check.counted) for check in checks]
    return Table("Audit", ("invariant", "what must hold", "outcome", "counted"), rows)


def all_figures(measures: Measures) -> Table:
    """Every measure, with what it says, market by market where there are several."""
    rows = []
    markets = [series.symbol for series in measures.markets]
    for name, one in MEASURES.items():
        names = [name]
        if one.scope is not Scope.RUN and len(markets) > 1:
            own = [f"{market}.{name}" for market in markets]
            names = [name, *own] if one.scope is Scope.TOTAL else own
        rows += [
            (written, shown(measures.values.get(written)), one.unit, one.meaning)
            for written in names
        ]
    return Table("Everything that was measured", ("measure", "value", "unit", "meaning"), rows)
