"""Writes docs/scenarios.md out of what the loader takes: ``python docs/make_scenarios.py``."""

from pathlib import Path

import msgspec

from sim.agents.kinds import KINDS
from sim.durations import duration_text
from sim.measuring.names import MEASURES, Scope
from sim.scenario import Fault, Latency, RestartServer, ValuePlan, load, shipped_names
from sim.scenario.building import EVENTS
from sim.scenario.reading import field_rows
from sim.scenario.tables import AgentsTable, MarketTable, RepeatTable, ScenarioTable

PAGE = Path(__file__).with_name("scenarios.md")

EXAMPLE = """\
title = "A cut at noon"
duration = "20s"
expect = ["lost = 0", "faults = 1", "recovery_ms_p99 < 500", "spread_median <= 4"]

[[market]]
symbol = "RAIN"
title = "Will it rain on Friday?"
opening = 50

[market.value]
volatility = 150

[[agents]]
kind = "market-maker"
count = 2
latency = "500us"

[[agents]]
kind = "noise"
count = 30
every = "150ms"
latency = { least = "2ms", jitter = "1ms" }

[[agents]]
kind = "informed"
count = 3

[[event]]
at = "8s"
do = "news"
market = "RAIN"
by = 10

[[event]]
at = "12s"
do = "cut"
"""

INTRODUCTION = f"""\
# Scenarios

A scenario says who trades in which markets, what happens meanwhile, and what must hold in the end.
It is a TOML file:

```toml
{EXAMPLE}```

`matchbox sim run noon.toml` runs it with real engine processes, a private server and real faults;
with `--virtual` it runs in one process, on a clock of its own, and gives the same journal every
time. `matchbox sim list` describes the scenarios that come with the program,
`matchbox sim run NAME` runs one, and `matchbox sim show NAME > mine.toml` is a start for your own.
What has a slash in it or ends in `.toml` is a file; any other word is a file only where no scenario
has that name.

A wrong file is told with all that is wrong in it, by line and key, before anything starts, and the
exit code is 2. Tables of a list are counted from 1: `event[2].market` is the key `market` of the
second `[[event]]`.

Lengths of time are text with a unit, `"250us"`, `"20ms"`, `"1.5s"`, `"2m"`, `"1h"`, at most 24h.
Prices are whole numbers of ticks, quantities whole numbers of contracts.
"""

MARKETS = """\
Titles and symbols of made-up markets follow from the file's `seed`, whatever `--seed` says.

### `[market.value]`

The hidden value is what a contract is truly worth. Only informed traders get to see it, each with
an error of its own. It begins at `opening` and walks by chance, pulled back to where it began; news
moves both it and what it is pulled to.
"""

AGENTS = """\
A latency of its own makes its agents slower or quicker than others: it is the time from what an
agent sees to the arrival of what it does. `latency = "2ms"` is always 2 ms. In a virtual run what
is on its way at the run's end still arrives, however long that takes, and counts as if it had come
at the end. Live agents have the latency of the machine; their own is left out of account.

### `[agents.latency]`
"""

EVENTS_WORDS = """\
Each event has a time, `at`, and a word for what happens, `do`. Faults hit the leader where `who`
is left out; they need two instances or more. An event happens before the run's end, its
repetitions too.
"""

EXPECTATIONS = """\
`expect` is a list of lines: a measure, one of `=`, `!=`, `<`, `<=`, `>`, `>=`, and a number. A
measure of one market is that of the first `[[market]]`, or of another one by its symbol:
`SNOW.spread_median <= 3`. One that is counted in every market is the sum of them all by its plain
name, and one market's by `SNOW.trades`. Where there was nothing to measure, the expectation is not
met.

Whatever is expected, a run fails where the audit does, and where positions or cash don't sum
to 0.
"""


def page() -> str:
    """The page as it should be."""
    return "\n".join(
        [
            INTRODUCTION,
            "## At the top",
            "",
            *_keys(ScenarioTable),
            "## `[[market]]`",
            "",
            *_keys(MarketTable),
            MARKETS,
            *_keys(ValuePlan),
            "## `[[agents]]`",
            "",
            "So many agents of a kind, whose own keys, told below, stand in the same table.",
            "",
            *_keys(AgentsTable),
            AGENTS,
            *_keys(Latency),
            *_kinds(),
            "## `[[event]]`",
            "",
            EVENTS_WORDS,
            *_events(),
            "Every event may be repeated:",
            "",
            *_keys(RepeatTable),
            "## Expectations",
            "",
            EXPECTATIONS,
            *_measures(),
            "## Those that come with the program",
            "",
            *_shipped(),
        ]
    )


def _keys(kind: type[msgspec.Struct]) -> list[str]:
    return _table(
        ("key", "takes", "default", "what it is"),
        [(f"`{name}`", *rest) for name, *rest in field_rows(kind)],
    )


def _kinds() -> list[str]:
    lines = []
    for kind in KINDS.values():
        lines += [f"### `{kind.name}`", "", _sentence(kind.summary), "", *_keys(kind.parameters)]
    return lines


def _events() -> list[str]:
    rows = []
    for word, kind in EVENTS.items():
        keys = [f"`{name}`" for name, *_ in field_rows(kind) if name != "at"]
        rows.append((f'`"{word}"`', ", ".join(keys), _first_line(kind)))
    named = {
        name: (takes, default, words)
        for kind in EVENTS.values()
        for name, takes, default, words in field_rows(kind)
    }
    return [
        *_table(("`do`", "keys", "what happens"), rows),
        *_table(
            ("key", "takes", "default", "what it is"),
            [(f"`{name}`", *rest) for name, rest in named.items()],
        ),
    ]


def _measures() -> list[str]:
    about = {Scope.RUN: "run", Scope.TOTAL: "sum", Scope.MARKET: "market"}
    return _table(
        ("measure", "unit", "of", "what it is"),
        [(f"`{one.name}`", one.unit, about[one.scope], one.meaning) for one in MEASURES.values()],
    )


def _shipped() -> list[str]:
    rows = []
    for name in shipped_names():
        one = load(name)[0]
        faults = sum(isinstance(what, Fault | RestartServer) for what in one.happenings)
        agents = sum(population.count for population in one.populations)
        words = " ".join(one.description.split())
        length = duration_text(one.duration)
        rows.append((f"`{name}`", length, str(len(one.markets)), str(agents), str(faults), words))
    return _table(("name", "duration", "markets", "agents", "faults", "what it shows"), rows)


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in lines] + [""]


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _first_line(kind: type[msgspec.Struct]) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((kind.__doc__ or "").partition("\n\n")[0].split())


if __name__ == "__main__":
    PAGE.write_text(page())
