"""Writes docs/simulator.md out of the kinds of agents and the facts of the realism scorecard.

``python docs/make_simulator.py`` does it again. ``python docs/make_simulator.py DIR...`` takes the
realism of these runs of docs/standard.toml into docs/standard.json before, from where it is shown.
"""

import json
import sys
from pathlib import Path
from typing import get_type_hints

import msgspec
from msgspec import Meta

from sim.agents.kinds import KINDS
from sim.durations import DURATION, duration_text
from sim.realism import FACTS

PAGE = Path(__file__).with_name("simulator.md")
FIGURES = Path(__file__).with_name("standard.json")

INTRODUCTION = """\
# The simulator

`matchbox sim run` lets simulated traders trade, with whatever is to happen to them or to the venue,
and ends in a verdict. [Scenarios](scenarios.md) tells how a scenario is written and what can be
expected of one; this page is about what runs it.

```
matchbox sim list                                     scenarios that come with the program
matchbox sim run flash-crash --virtual --out crash    in one process, in seconds; kept in crash/
matchbox sim run failover-storm                       real processes, real faults, a real minute
matchbox replay crash                                 the same run on the screen, at any speed
matchbox audit crash                                  the eight invariants, once more
```

The exit code is 0 where everything held that the scenario expects, 1 where something did not.

## The agents

An agent sees what a client sees: its market's book, what was traded, its own orders and its
position. It acts by commands, as a client does. Nothing in it knows which runner drives it, what
time it is but by what it sees, or what others think. Only the `informed` are told the hidden value,
each with an error of its own.
"""

POPULATION = """\
Bounds of each parameter are in [Scenarios](scenarios.md#agents). Each kind's source is cited where
its code is, in `sim/agents`.

The **standard population** is who trades where nothing else is said. Of a hundred agents two make
markets, ten are informed, five follow trends and two take in slices, one by time and one by volume;
the others are of zero intelligence or noise, five to three.
"""

RUNNERS = """\
## Two runners

The same agents run by either of two runners, from the same file.

| | virtual (`--virtual`) | live |
|---|---|---|
| time | a clock of its own, as fast as the machine can | the wall's |
| engine | the real one, in the same process | real node processes, one of which leads |
| store | a queue and a journal in memory, the entries as COMMIT writes them | a private Valkey |
| latency | as the scenario says, for each population | whatever it is on this machine |
| faults | an outage as long as such a fault was measured to take | SIGKILL, SIGSTOP, a cut, ... |
| the same again | the same journal, byte for byte | never |
| good for | what traders do to a market | that nothing is lost, doubled or altered |

The virtual runner only models faults: commands queue up, nobody matches them for a while, then the
next instance leads in the next epoch. That an acknowledged order survives a fault is not something
it could show; for that there is the live runner, and `matchbox drill`
([Reliability](reliability.md)).

In the live runner agents share a connection, and those whose turns are within 20 ms of each other
share a submit.

## The same run again

A virtual run follows from the file and the seed alone: the same on any machine, in any process, by
any Python from 3.11 on. So there is no clock in it but its own, no chance but `Dice` (whole numbers
from seeded generators, one for each agent, so that one more agent leaves the others' luck as it
was), no floating point, and nothing that goes by the order of a set or of hashes. Statistics are
taken afterwards; they may use floating point, and are rounded to three digits.

## What a run leaves

With `--out` a directory: the scenario as it was written, the seed and the versions, the journal,
what the traders were told, samples of the queue, the faults, `measures.json`, `verdict.json` and
`report.html`, which needs nothing beside it. It is written as the run goes: one that is interrupted
or killed can still be replayed and audited as far as it went.
"""

REALISM = """\
## How real is it?

`--realism` holds the first four markets of a run against what is known of real ones, on the
terminal, in `verdict.json` (under `realism`) and in the report. It is a scorecard and no verdict: a
market may fail all of it and the run be fine. Where there is too little to tell, it says so; the
scenarios that come with the program are short, so that for most of it there is.

Prices are those of the middle between the best bid and the best ask. A return is its change, in
ticks, over an interval in which 25 trades happen on average; 2,000 of them are needed, and 50,000
trades for the memory of their sides. Fills of one taker at one moment are one trade.

The papers found these facts in other markets, and give estimates, not limits. **Each limit is our
reading of them**, set so that a market of pure chance is outside of it wherever the fact says that
real ones are. The selection of facts follows Vyetrenko, Byrd, Petosa, Mahfouz, Dervovic, Veloso and
Balch (2020), Get Real: Realism Metrics for Robust Limit Order Book Market Simulations, ICAIF '20.
"""

STANDARD = """\
### The standard population

[standard.toml](standard.toml): a hundred agents in one market from 1 to 99 that opens at 50, half
an hour by the virtual clock, some 835,000 commands and 260,000 trades.

```
matchbox sim run docs/standard.toml --virtual --realism --seed 1
```
"""

WHY = """\
It fails most of it, and why is no secret:

- **Tails and clusters of volatility.** The hidden value walks in normal steps of one size at all
  times, and nobody's activity depends on what has just happened. There is nothing that agitation
  could come from, or last by. A scenario with news has large moves (`news-shock`, `flash-crash`).
- **Bursts.** All waits are exponential with means that never change: many such agents together make
  a Poisson process, nearly to the third digit. Whoever answers to others (market makers, those who
  follow trends or volume) does so in rhythms of its own, never at once.
- **The spread.** Market makers quote a tick from their fair price whatever they lose to the
  informed, and look again within a tenth of a second. So the spread hardly varies (1.9 ticks on
  average, 1 or 2 for 73 % of the time), and it is several times what a trade moves the price by.
- **Depth at the best price.** Quotes of 50 contracts that are put back once half of them is gone
  are a floor under it. With market makers that looked only every 200 ms the shape was 1.49.
- **The takers' sides.** Two of a hundred agents take in slices, too few to be seen among the coins
  that the others throw. That real markets remember is put down to large orders that are split
  (Lillo, Mike and Farmer 2005, Theory for long memory in supply and demand, Physical Review E 71).

What it has: returns that can't be foretold, but for a bounce at the shortest lag (autocorrelation
-0.2), and a book that is fullest three ticks behind the best price. Bouchaud, Mezard and Potters
found that orders by chance alone are enough for that.

More of what real markets have costs little: with twenty slicers instead of two, whose parent orders
are of 1,500 contracts and follow each other within seconds, a quarter of an hour (seed 1) had an
excess kurtosis of 10.9, a tail exponent of 3.6, absolute returns with an autocorrelation of 0.12,
and a spread in proportion; but also returns with an autocorrelation of 0.14, which is too much.

So take the standard population for what it is: a market that is alive, two-sided and fair, good for
testing a venue and for showing one. Don't train or test a trading strategy on it.
"""


def page() -> str:
    """The page as it should be."""
    return (
        "\n".join(
            [
                INTRODUCTION,
                *_agents(),
                POPULATION,
                RUNNERS,
                REALISM,
                *_facts(),
                STANDARD,
                *_figures(),
                WHY,
            ]
        ).rstrip("\n")
        + "\n"
    )


def _agents() -> list[str]:
    rows = []
    for kind in KINDS.values():
        parameters = "; ".join(_parameters(kind.parameters))
        rows.append((f"`{kind.name}`", kind.summary, parameters))
    return _table(
        ("kind", "what it does", "parameters, their units, and what they are if left out"), rows
    )


def _parameters(kind: type[msgspec.Struct]) -> list[str]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        f"`{field.name}` {_words(hints[field.name])} ({_default(hints[field.name], field.default)})"
        for field in msgspec.structs.fields(kind)
    ]


def _metas(hint: object) -> list[Meta]:
    return [one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Meta)]


def _words(hint: object) -> str:
    return next(one.description for one in _metas(hint) if one.description).removesuffix(
        ", length of time"
    )


def _default(hint: object, default: object) -> str:
    lasts = any((one.extra or {}).get("unit") == DURATION for one in _metas(hint))
    return (
        duration_text(default)
        if lasts and isinstance(default, int)
        else f"{default:,}"
        if isinstance(default, int)
        else str(default)
    )


def _facts() -> list[str]:
    rows = [(_plain(fact.name), fact.figure, fact.wanted, fact.source) for fact in FACTS.values()]
    return _table(("fact", "what is computed", "like real ones", "known from"), rows)


def _figures() -> list[str]:
    found: dict[str, dict[str, float | None]] = json.loads(FIGURES.read_text())
    rows = []
    for name, fact in FACTS.items():
        figures = [one[name] for one in found.values()]
        held = [figure is not None and fact.like(figure) for figure in figures]
        outcome = "-" if None in figures else "pass" if all(held) else "fail"
        if any(held) and outcome == "fail":
            outcome = f"pass in {sum(held)} of {len(held)}"
        means = fact.holds if all(held) else fact.lacks
        if None in figures:
            means = "returns are nearly normal to begin with"
        shown = ["-" if figure is None else f"{figure:g}" for figure in figures]
        rows.append((_plain(name), *shown, fact.wanted, outcome, means))
    seeds = [f"seed {seed}" for seed in found]
    return _table(("fact", *seeds, "like real ones", "outcome", "what it means"), rows)


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [titles, tuple("---" for _ in titles), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in lines] + [""]


def _take(directories: list[Path]) -> None:
    found = {}
    for directory in directories:
        seed = json.loads((directory / "run.json").read_text())["seed"]
        (market,) = json.loads((directory / "verdict.json").read_text())["realism"]["markets"]
        found[seed] = {one["name"]: one["figure"] for one in market["findings"]}
    FIGURES.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:]:
        _take([Path(name) for name in sys.argv[1:]])
    PAGE.write_text(page())
