"""What a scenario says: everything that a run does, and what is expected of it.

These are the values; how they stand in a file, and how errors in one are told, is `loading`'s.
Lengths of time are in ns, prices in ticks, quantities in contracts.
"""

from typing import Annotated, Literal

import msgspec

from matchbox_tui.engine import MAX_PRICE, MAX_QTY, Market
from sim.durations import DURATION, Duration

Step = Annotated[int, msgspec.Meta(ge=1_000_000, extra={"unit": DURATION})]
"""A length of time in ns, a millisecond at least."""

PositiveInt = Annotated[int, msgspec.Meta(ge=1)]
Contracts = Annotated[int, msgspec.Meta(ge=1, le=MAX_QTY)]
MarketName = Annotated[str, msgspec.Meta(description="symbol of the market")]
PerMille = Annotated[int, msgspec.Meta(ge=0, le=1000)]


class ValuePlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hidden value of a market: a walk in steps that is pulled back to where it began.

    News moves both the walk and what it is pulled to. Where `begins` is above 0, calm and agitated
    times follow each other by chance, each with a volatility of its own.
    """

    step: Annotated[Step, msgspec.Meta(description="time between two steps")] = 100_000_000
    volatility: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=10**9, description="standard deviation of a step, thousandths of a tick"
        ),
    ] = 250
    agitated: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=10**9,
            description="standard deviation of a step in an agitated time, thousandths of a tick",
        ),
    ] = 1000
    begins: Annotated[
        PerMille,
        msgspec.Meta(
            description="chance that a step begins an agitated time, per mille; 0: there are none"
        ),
    ] = 0
    ends: Annotated[
        PerMille, msgspec.Meta(description="chance that a step ends an agitated time, per mille")
    ] = 20
    reversion: Annotated[
        PerMille,
        msgspec.Meta(description="how much of the distance to its mean a step makes up, per mille"),
    ] = 5


class MarketPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A market, the price that everybody knows before it opens, and its hidden value's path."""

    market: Market
    opening: int
    value: ValuePlan = ValuePlan()


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From what an agent sees to the arrival of the command that it sends: `least`, and on top
    something by chance, exponentially distributed with the mean `jitter`.

    The whole way there and back counts, as if it were all on the way there: what an agent sees
    is always what there is, and its command arrives that much later.
    """

    least: Annotated[Duration, msgspec.Meta(description="the shortest way there and back")] = (
        1_000_000
    )
    jitter: Annotated[Duration, msgspec.Meta(description="mean of what comes on top")] = 200_000


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """`count` agents of one kind, each in one of `markets` in turn (none named: all of them).

    `parameters` is of the kind's own type.
    """

    kind: str
    count: PositiveInt = 1
    markets: tuple[str, ...] = ()
    latency: Latency = Latency()
    parameters: msgspec.Struct


class Happening(msgspec.Struct, frozen=True, kw_only=True, tag_field="do"):
    """What happens at a time after the start, whatever the agents do."""

    at: Annotated[Duration, msgspec.Meta(description="time after the start")]


class News(Happening, frozen=True, kw_only=True, tag="news"):
    """The hidden value of a market jumps by so many ticks, and stays there."""

    market: MarketName
    by: Annotated[
        int,
        msgspec.Meta(ge=-MAX_PRICE, le=MAX_PRICE, description="the jump, ticks; down where < 0"),
    ]


class Halt(Happening, frozen=True, kw_only=True, tag="halt"):
    """Trading stops in a market: nothing but cancels is taken."""

    market: MarketName


class Resume(Happening, frozen=True, kw_only=True, tag="resume"):
    """Trading goes on in a halted market."""

    market: MarketName


class Burst(Happening, frozen=True, kw_only=True, tag="burst"):
    """One trader sends many orders at once: market orders of `qty` contracts on `side`, or on
    both sides in turn where there is none.
    """

    market: MarketName
    orders: Annotated[int, msgspec.Meta(ge=1, le=100_000, description="how many orders")]
    side: Annotated[
        Literal["", "buy", "sell"], msgspec.Meta(description="left out: both, in turn")
    ] = ""
    qty: Annotated[Contracts, msgspec.Meta(description="size of each, contracts")] = 1


class Fault(Happening, frozen=True, kw_only=True):
    """A fault of an instance: the leader, or one by its name (`node-2`)."""

    who: Annotated[
        str, msgspec.Meta(description="`leader`, or an instance: `node-1`, `node-2`, ...")
    ] = "leader"


class Kill(Fault, frozen=True, kw_only=True, tag="kill"):
    """SIGKILL; started again once another one leads."""


class Stop(Fault, frozen=True, kw_only=True, tag="stop"):
    """SIGTERM; started again once another one leads."""


class Pause(Fault, frozen=True, kw_only=True, tag="pause"):
    """SIGSTOP, and SIGCONT once another one leads."""


class Cut(Fault, frozen=True, kw_only=True, tag="cut"):
    """The network between the instance and the server is cut, and mended once another one leads."""


class RestartServer(Happening, frozen=True, kw_only=True, tag="restart-server"):
    """The server is killed, and started again on its append-only file."""


AnyHappening = News | Halt | Resume | Burst | Kill | Stop | Pause | Cut | RestartServer


class Expectation(msgspec.Struct, frozen=True):
    """A measure of the run held against a number: `spread_median <= 3`.

    `operator` is one of = != < <= > >=.
    """

    measure: str
    operator: str
    bound: int | float

    def __str__(self) -> str:
        return f"{self.measure} {self.operator} {self.bound}"


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run. `start` of the virtual clock is fixed, so that the same file and seed give the
    same journal; `instances` and `lease` matter to the live runner, and to how long the virtual
    one takes for a fault.
    """

    name: str
    title: str = ""
    description: str = ""
    seed: int = 1
    duration: Duration
    instances: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3
    lease: Duration = 2_000_000_000
    markets: tuple[MarketPlan, ...]
    populations: tuple[Population, ...]
    happenings: tuple[AnyHappening, ...] = ()
    expectations: tuple[Expectation, ...] = ()
