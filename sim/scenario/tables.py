"""The tables of a scenario file: what their keys take, and what is left out means.

A file's other tables are those of `form` and of the kinds of agents, as they are.
"""

from typing import Annotated

import msgspec

from matchbox_tui.engine import MAX_PRICE
from sim.durations import DURATION
from sim.scenario.form import Latency, ValuePlan

MAX_AGENTS = 100_000
MAX_MARKETS = 1_000
MAX_HAPPENINGS = 10_000

RunLength = Annotated[int, msgspec.Meta(ge=10_000_000, extra={"unit": DURATION})]
Lease = Annotated[int, msgspec.Meta(ge=100_000_000, le=600 * 10**9, extra={"unit": DURATION})]
Spacing = Annotated[int, msgspec.Meta(ge=1_000_000, extra={"unit": DURATION})]
Price = Annotated[int, msgspec.Meta(ge=1, le=MAX_PRICE)]


class ScenarioTable(msgspec.Struct, frozen=True, kw_only=True):
    """The keys at the top of the file, before the first table."""

    title: Annotated[str, msgspec.Meta(max_length=100, description="what it is, in a line")] = ""
    description: Annotated[
        str, msgspec.Meta(max_length=2_000, description="what it shows, in a few lines")
    ] = ""
    seed: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=2**53 - 1, description="what chance begins with; `--seed` goes before it"
        ),
    ] = 1
    duration: Annotated[RunLength, msgspec.Meta(description="how long the run is, at most 24h")]
    instances: Annotated[int, msgspec.Meta(ge=1, le=9, description="engine instances")] = 3
    lease: Annotated[
        Lease, msgspec.Meta(description="the lead of one that hangs ends after it")
    ] = 2_000_000_000
    expect: Annotated[
        tuple[str, ...], msgspec.Meta(description="what must hold in the end: see Expectations")
    ] = ()


class MarketTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[market]]`: a market, or `count` made-up ones that are alike."""

    symbol: Annotated[
        str, msgspec.Meta(description="letters, digits and `.`, `_`, `-`; at most 64 of them")
    ] = ""
    count: Annotated[
        int | None,
        msgspec.Meta(description="instead of `symbol`: so many made-up markets, at most 1000"),
    ] = None
    title: Annotated[str, msgspec.Meta(max_length=200, description="the question, in a line")] = ""
    min_price: Annotated[Price, msgspec.Meta(description="lowest price, ticks")] = 1
    max_price: Annotated[Price, msgspec.Meta(description="highest price, ticks")] = 99
    tick: Annotated[Price, msgspec.Meta(description="prices are multiples of it")] = 1
    opening: Annotated[
        Price | None,
        msgspec.Meta(
            description="price that everybody knows before it opens, ticks;"
            " left out: the middle of the range"
        ),
    ] = None
    value: Annotated[
        ValuePlan, msgspec.Meta(description="the path of the hidden value: `[market.value]`")
    ] = ValuePlan()


class AgentsTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[agents]]`: so many agents of a kind. The kind's own keys stand in the same table."""

    kind: Annotated[str, msgspec.Meta(description="one of the kinds below")]
    count: Annotated[
        int, msgspec.Meta(ge=1, le=MAX_AGENTS, description="how many, in all their markets")
    ] = 1
    markets: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="symbols; one market for each agent, in turn; left out: all"),
    ] = ()
    latency: Annotated[
        Annotated[int, msgspec.Meta(ge=0, extra={"unit": DURATION})] | Latency,
        msgspec.Meta(description="its way to the venue: always the same, or a table as below"),
    ] = Latency()


class RepeatTable(msgspec.Struct, frozen=True, kw_only=True):
    """Keys of every `[[event]]` beside its own: it may happen more than once."""

    every: Annotated[
        Spacing | None, msgspec.Meta(description="again after so long; goes with `times`")
    ] = None
    times: Annotated[int, msgspec.Meta(ge=1, le=MAX_HAPPENINGS, description="how often in all")] = 1
