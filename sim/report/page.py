"""The report as one page that needs nothing beside it: no script, no font, no network."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from sim.measuring import MEASURES, Measures
from sim.recording import FaultRow
from sim.report import fault_pictures, kind_pictures, market_pictures
from sim.report.picture import Picture, html_of
from sim.report.plotting import Mark
from sim.report.tables import (
    KEY_MEASURES,
    Table,
    all_figures,
    audit,
    conclusion,
    expectations,
    kinds,
    realism,
    realism_lines,
)
from sim.report.told import Told
from sim.scenario import Burst, Fault, Halt, News, RestartServer, Resume, Scenario
from sim.verdict import shown

MOST_MARKETS = 4
"""Markets that have pictures; the figures are of all."""

TOLD = ("ms", "ticks", "contracts", "commands/s")
"""Units that a measure's name doesn't tell."""

FINE, WRONG = ("met", "ok", "pass"), ("NOT MET", "FAIL", "fail")


def page(told: Told) -> str:
    """The whole page. The same run gives the same bytes, but for what it took on the wall's clock,
    which is nowhere in it.
    """
    report = told.report
    title = report.title or report.scenario
    css = files("sim.report").joinpath("page.css").read_text(encoding="utf-8")
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{escape(title)}</title>\n<style>\n{css}</style>\n</head>\n<body>\n",
            *_head(told, title),
            *_markets(told),
            *_section("Agents", kind_pictures.pictures_of(told.measures), [kinds(report)]),
            *_section("Faults", fault_pictures.pictures_of(told.measures), []),
            *_more(told),
            _footer(told),
            "</body>\n</html>\n",
        )
    )


def _head(told: Told, title: str) -> Iterable[str]:
    report, scenario = told.report, told.scenario
    yield f"<header>\n<h1>{escape(title)}</h1>\n"
    how = "virtual clock" if report.virtual else "real processes and a real store"
    planned = scenario.duration / 1e9
    ran = (told.measures.grid or [0])[-1] / 1e9
    early = ", ended early" if report.interrupted else ""
    yield (
        f'<p class="facts">Scenario {escape(report.scenario)}, seed {report.seed}, {how};'
        f" {ran:.4g} s of {planned:.4g} s{early}</p>\n"
    )
    if scenario.description:
        yield f"<p>{escape(scenario.description)}</p>\n"
    kind = "verdict" if report.ok else "verdict wrong"
    yield f'<div class="{kind}" role="status">{escape(conclusion(report))}'
    wrong = [*report.verdict.problems]
    wrong += [one.words for one in report.verdict.expectations if not one.ok]
    if wrong:
        yield "<ul>" + "".join(f"<li>{escape(words)}</li>" for words in wrong) + "</ul>"
    yield "</div>\n</header>\n"
    yield '<dl class="tiles">\n'
    for name in KEY_MEASURES:
        value = report.measures.get(name)
        if value is not None:
            one = MEASURES[name]
            unit = f' <span class="unit">{escape(one.unit)}</span>' if one.unit in TOLD else ""
            yield (
                f'<div title="{escape(one.meaning)}"><dt>{name.replace("_", " ")}</dt>'
                f"<dd>{shown(value)}{unit}</dd></div>\n"
            )
    yield "</dl>\n"
    yield _table(expectations(report))


def _markets(told: Told) -> Iterable[str]:
    measures = told.measures
    marks = _marks(told.scenario, measures)
    for number, series in enumerate(measures.markets[:MOST_MARKETS]):
        own = [mark for mark in marks if mark.market in ("", series.symbol)]
        heading = series.symbol
        if series.title and series.title != series.symbol:
            heading += f": {series.title}"
        pictures = market_pictures.pictures_of(series, measures, own, number)
        yield from _section(heading, pictures, [])
    left = len(measures.markets) - MOST_MARKETS
    if left > 0:
        yield f"<p>{left} more markets are in the figures below.</p>\n"


def _section(heading: str, pictures: Sequence[Picture], below: Sequence[Table]) -> Iterable[str]:
    if not pictures and not any(table.rows for table in below):
        return
    yield f"<section>\n<h2>{escape(heading)}</h2>\n"
    yield from map(html_of, pictures)
    yield from map(_table, below)
    yield "</section>\n"


def _more(told: Told) -> Iterable[str]:
    for table, words in zip(realism(told.report), realism_lines(told.report), strict=True):
        yield f"<section>\n<h2>{escape(table.name)}</h2>\n"
        yield f"<p>{escape(words)} No verdict depends on it.</p>\n{_table(table)}</section>\n"
    for table in (*told.more, audit(told.report)):
        if table.rows:
            yield f"<section>\n<h2>{escape(table.name)}</h2>\n{_table(table)}</section>\n"
    table = all_figures(told.measures)
    yield f"<details>\n<summary>{escape(table.name)}</summary>\n{_table(table)}</details>\n"
    yield (
        "<details>\n<summary>The scenario as it was written</summary>\n"
        f"<pre>{escape(told.text)}</pre>\n</details>\n"
    )


def _footer(told: Told) -> str:
    versions = ", ".join(
        f"{escape(name)} {escape(version)}" for name, version in told.facts.versions.items()
    )
    return f"<footer>Seed {told.report.seed}. {versions}</footer>\n"


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    numbers = [
        all(_is_number(row[column]) for row in table.rows) for column in range(len(table.titles))
    ]
    head = "".join(_cell("th", title, numbers[n]) for n, title in enumerate(table.titles))
    body = "".join(
        "<tr>" + "".join(_cell("td", cell, numbers[n]) for n, cell in enumerate(row)) + "</tr>\n"
        for row in table.rows
    )
    return (
        f'<div class="table"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n'
        "</table></div>\n"
    )


def _cell(tag: str, text: str, number: bool) -> str:
    kinds = ["number"] * number + ["fine"] * (text in FINE) + ["wrong"] * (text in WRONG)
    marked = f' class="{" ".join(kinds)}"' if kinds else ""
    return f"<{tag}{marked}>{escape(text)}</{tag}>"


def _is_number(text: str) -> bool:
    return text == "-" or text.lstrip("-").replace(",", "").replace(".", "", 1).isdigit()


def _marks(scenario: Scenario, measures: Measures) -> list[Mark]:
    """What the scenario let happen, and the faults as they struck."""
    end = measures.grid[-1] if measures.grid else 0
    marks = [
        Mark(one.row.at, one.row.kind + _struck(one.row), fault=True) for one in measures.faults
    ]
    for happening in scenario.happenings:
        match happening:
            case News():
                marks.append(Mark(happening.at, f"news {happening.by:+}", happening.market))
            case Halt():
                marks.append(Mark(happening.at, "halt", happening.market))
            case Resume():
                marks.append(Mark(happening.at, "resume", happening.market))
            case Burst():
                words = f"burst of {happening.orders}"
                marks.append(Mark(happening.at, words, happening.market))
            case Fault() | RestartServer():
                pass
    return sorted((mark for mark in marks if mark.at <= end), key=lambda mark: mark.at)


def _struck(row: FaultRow) -> str:
    return f" {row.who}" if row.who not in row.kind else ""
