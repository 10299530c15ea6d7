"""A scenario out of a file's tables: everything that is wrong with them is found in one go."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from matchbox_tui.engine import Market, refusal_of_market, refusal_of_price
from sim.agents import clamped
from sim.agents.kinds import KINDS, Kind
from sim.durations import duration_text
from sim.questions import make_markets
from sim.scenario.errors import Enough, Findings, Path, ScenarioError, nearest, shown
from sim.scenario.expecting import parse_expectation
from sim.scenario.form import (
    AnyHappening,
    Burst,
    Cut,
    Expectation,
    Fault,
    Halt,
    Happening,
    Kill,
    Latency,
    MarketPlan,
    News,
    Pause,
    Population,
    RestartServer,
    Resume,
    Scenario,
    Stop,
)
from sim.scenario.reading import Table, read_fields, read_structs
from sim.scenario.tables import (
    MAX_AGENTS,
    MAX_HAPPENINGS,
    MAX_MARKETS,
    AgentsTable,
    MarketTable,
    RepeatTable,
    ScenarioTable,
)

EVENTS: dict[str, type[Happening]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (News, Halt, Resume, Burst, Kill, Stop, Pause, Cut, RestartServer)
}
"""What may happen, by the word for it in a file."""

LISTS = ("market", "agents", "event")
"""The lists of tables of a file."""

LEADER = "leader"


class Builder:
    """Makes the scenario of one file, or finds out why there is none."""

    def __init__(
        self,
        name: str,
        tables: Table,
        findings: Findings,
        kinds: Mapping[str, Kind] = KINDS,
    ) -> None:
        """`tables` is the file as it was parsed."""
        self._name = name
        self._tables = tables
        self._findings = findings
        self._kinds = kinds
        self._symbols: list[str] = []
        self._duration: int | None = None
        self._instances: int | None = None

    def build(self, source: str) -> Scenario:
        """Raises `ScenarioError`."""
        try:
            scenario = self._scenario()
        except Enough:
            scenario = None
        if scenario is None or self._findings.problems:
            raise ScenarioError(source, self._findings.problems)
        return scenario

    def _scenario(self) -> Scenario | None:
        """The scenario; where there are findings it may be None, or be none to be run."""
        top = self._top()
        seed, expect = top.pop("seed", 1), top.pop("expect", ())
        markets = self._markets(seed)
        populations = self._populations()
        happenings = self._happenings()
        expectations = self._expectations(expect)
        if self._findings.problems:
            return None
        return Scenario(
            name=self._name,
            seed=seed,
            markets=markets,
            populations=populations,
            happenings=happenings,
            expectations=expectations,
            **top,
        )

    def _top(self) -> dict[str, Any]:
        """The keys at the top, as far as they are right."""
        plain = {}
        for key, value in self._tables.items():
            if key in LISTS:
                continue
            # A misspelt list of tables is no key of the top.
            if isinstance(value, list | dict) and key not in ScenarioTable.__struct_fields__:
                self._findings.add((key,), f"no such table; {nearest(key, LISTS)}")
            else:
                plain[key] = value
        read = read_fields((ScenarioTable,), plain, (), self._findings)[0]
        self._duration = read.get("duration")
        if "instances" in read or "instances" not in plain:
            self._instances = read.get("instances", ScenarioTable(duration=1).instances)
        return read

    def _list(self, key: str, most: int) -> Sequence[Table]:
        """The tables of a list; those that are none are reported and left out."""
        tables = self._tables.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
            self._findings.add((key,), f"{shown(tables)}; write [[{key}]] above each of its tables")
            return []
        if len(tables) > most:
            self._findings.add((key,), f"{len(tables)} of them; use at most {most}")
            return []
        return tables

    def _markets(self, seed: int) -> tuple[MarketPlan, ...]:
        tables = self._list("market", MAX_MARKETS)
        if self._tables.get("market", []) == []:
            self._findings.add(("market",), "is missing; add a [[market]] with its symbol")
        read = [self._market(table, ("market", number)) for number, table in enumerate(tables)]
        named = [one.symbol for one in read if one is not None and one.symbol]
        wanted = sum(one.count or 0 for one in read if one is not None)
        if wanted + len(named) > MAX_MARKETS:
            self._findings.add(
                ("market",), f"{wanted + len(named)} in all; use at most {MAX_MARKETS}"
            )
            return ()
        spare = (
            market
            for market in (make_markets(wanted + len(named), seed) if wanted else [])
            if market.symbol not in named
        )
        plans: list[MarketPlan] = []
        for number, table in enumerate(read):
            if table is None:
                # What names this market is not to blame.
                self._symbols += filter(None, [str(tables[number].get("symbol", ""))])
                continue
            made = [next(spare) for _ in range(table.count or 0)]
            for market in made or [Market(table.symbol, table.title)]:
                self._open(plans, table, market, ("market", number))
        return tuple(plans)

    def _market(self, table: Table, path: Path) -> MarketTable | None:
        read = read_structs((MarketTable,), table, path, self._findings)
        if read is None:
            return None
        one: MarketTable = read[0]
        if (one.count is None) == (one.symbol == ""):
            self._findings.add(path, 'give it a symbol = "..." or a count = N, and not both')
            return None
        if one.count is not None:
            if not 1 <= one.count <= MAX_MARKETS:
                self._findings.add((*path, "count"), f"{one.count}; use 1 to {MAX_MARKETS}")
                return None
            if one.title:
                self._findings.add((*path, "title"), "made-up markets have titles of their own")
                return None
        return one

    def _open(
        self, plans: list[MarketPlan], table: MarketTable, market: Market, path: Path
    ) -> None:
        """Adds the plan of a market, if it can be opened as its table says."""
        if market.symbol in self._symbols:
            self._findings.add((*path, "symbol"), f"{market.symbol!r} is there already")
            return
        self._symbols.append(market.symbol)
        if refusal_of_market(market) is not None:
            self._findings.add(
                (*path, "symbol"),
                f"{shown(market.symbol)}; use A to Z, a to z, digits and . _ -, at most 64 of them",
            )
            return
        low, high, tick = table.min_price, table.max_price, table.tick
        if low > high:
            self._findings.add((*path, "min_price"), f"{low} is above max_price, which is {high}")
            return
        # The lowest price that is a multiple of the tick.
        if -(-low // tick) * tick > high:
            self._findings.add((*path, "tick"), f"no multiple of {tick} is from {low} to {high}")
            return
        market = msgspec.structs.replace(market, min_price=low, max_price=high, tick=tick)
        opening = table.opening
        if opening is None:
            opening = clamped((low + high) // 2, market)
        if refusal_of_price(opening, market) is not None:
            words = f"use a multiple of {tick}" if tick > 1 else "use a price"
            self._findings.add((*path, "opening"), f"{opening}; {words} from {low} to {high}")
            return
        plans.append(MarketPlan(market=market, opening=opening, value=table.value))

    def _populations(self) -> tuple[Population, ...]:
        tables = self._list("agents", MAX_AGENTS)
        if not tables and "agents" not in self._tables:
            self._findings.add(("agents",), "is missing; add an [[agents]] with its kind")
        read = [self._population(table, ("agents", number)) for number, table in enumerate(tables)]
        populations = [one for one in read if one is not None]
        count = sum(one.count for one in populations)
        if count > MAX_AGENTS:
            self._findings.add(("agents",), f"{count} in all; use at most {MAX_AGENTS}")
        return tuple(populations)

    def _population(self, table: Table, path: Path) -> Population | None:
        kind = self._chosen(table, "kind", self._kinds, path, "kind of agents")
        if kind is None:
            return None
        read = read_structs((AgentsTable, kind.parameters), table, path, self._findings)
        if read is None:
            return None
        common, own = read
        conflict = kind.conflict(own)
        if conflict is not None:
            # What is left out stands on no line; the last one that is written is to blame.
            written = [key for key in table if key in conflict.keys]
            self._findings.add((*path, *written[-1:]), conflict.words)
        if "markets" in table and not common.markets:
            self._findings.add(
                (*path, "markets"), "is empty; name a market, or leave it out for all of them"
            )
        for number, symbol in enumerate(common.markets):
            self._check_market(symbol, (*path, "markets", number))
        latency = common.latency
        if isinstance(latency, int):
            latency = Latency(least=latency, jitter=0)
        return Population(
            kind=kind.name,
            count=common.count,
            markets=common.markets,
            latency=latency,
            parameters=own,
        )

    def _happenings(self) -> tuple[AnyHappening, ...]:
        happenings: list[AnyHappening] = []
        for number, table in enumerate(self._list("event", MAX_HAPPENINGS)):
            happenings += self._event(table, ("event", number))
            if len(happenings) > MAX_HAPPENINGS:
                words = f"more than {MAX_HAPPENINGS} in all; use fewer times"
                self._findings.add(("event", number, "times"), words)
                break
        return tuple(sorted(happenings, key=lambda one: one.at))

    def _event(self, table: Table, path: Path) -> list[Any]:
        kind = self._chosen(table, "do", EVENTS, path, "event")
        if kind is None:
            return []
        own = {key: value for key, value in table.items() if key != "do"}
        read = read_structs((kind, RepeatTable), own, path, self._findings)
        if read is None:
            return []
        event, repeat = read
        if isinstance(event, News | Halt | Resume | Burst):
            self._check_market(event.market, (*path, "market"))
        if (repeat.every is None) != (repeat.times == 1):
            self._findings.add((*path, "every"), 'every = "..." and times = N (from 2) go together')
            return []
        self._check_fault(event, path)
        last = event.at + (repeat.every or 0) * (repeat.times - 1)
        if self._duration is not None and last >= self._duration:
            self._findings.add(
                (*path, "at" if event.at >= self._duration else "times"),
                f"it would happen at {duration_text(last)},"
                f" and the run ends at {duration_text(self._duration)}",
            )
            return []
        return [
            msgspec.structs.replace(event, at=event.at + (repeat.every or 0) * number)
            for number in range(repeat.times)
        ]

    def _check_fault(self, event: Happening, path: Path) -> None:
        if not isinstance(event, Fault) or self._instances is None:
            return
        names = [LEADER, *(f"node-{number}" for number in range(1, self._instances + 1))]
        if event.who not in names:
            words = f"no instance {shown(event.who)}; {nearest(event.who, names)}"
            self._findings.add((*path, "who"), words)
        if self._instances == 1:
            self._findings.add(
                (*path, "do"), "with one instance nobody takes over; use instances = 2 or more"
            )

    def _expectations(self, expect: Sequence[str]) -> tuple[Expectation, ...]:
        expectations = []
        for number, text in enumerate(expect):
            try:
                expectations.append(parse_expectation(text, self._symbols))
            except ValueError as error:
                self._findings.add(("expect", number), str(error))
        return tuple(expectations)

    def _chosen(
        self, table: Table, key: str, known: Mapping[str, Any], path: Path, what: str
    ) -> Any:
        """What the table names under this key, None where there is no such thing."""
        word = table.get(key)
        if isinstance(word, str) and word in known:
            return known[word]
        words = "is missing" if word is None else f"no {what} {shown(word)}"
        near = nearest(word, known) if isinstance(word, str) else f"use one of {', '.join(known)}"
        self._findings.add((*path, key), f"{words}; {near}")
        return None

    def _check_market(self, symbol: str, path: Path) -> None:
        if symbol not in self._symbols:
            words = f"no market {shown(symbol)}; {nearest(symbol, self._symbols)}"
            self._findings.add(path, words)
