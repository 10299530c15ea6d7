"""The units in which the kinds of agents take their parameters."""

from typing import Annotated

from msgspec import Meta, Struct

from sim.durations import DURATION

Interval = Annotated[int, Meta(ge=1_000, extra={"unit": DURATION})]
"""A length of time in ns that something is repeated after: a microsecond at least."""

Glance = Annotated[int, Meta(ge=1_000_000, extra={"unit": DURATION})]
"""The same for a look that costs more than a glimpse, and for a wait that may end in nothing and be
begun anew, for which hardly any time would go by: a millisecond at least.
"""

Ticks = Annotated[int, Meta(ge=0, le=10**9)]
Contracts = Annotated[int, Meta(ge=1, le=10**9)]
Count = Annotated[int, Meta(ge=1, le=1_000)]
PerMille = Annotated[int, Meta(ge=0, le=1_000)]
Excitement = Annotated[
    int,
    Meta(
        ge=0,
        le=990,
        description="how much of its pace follows the pace of trading, per mille; "
        "0: it always acts equally often",
    ),
]
Thousandths = Annotated[int, Meta(ge=0, le=10**9)]
"""Of a tick."""


class Conflict(Struct, frozen=True):
    """Parameters that are right each by itself and make no sense together: their names, and in
    words what would be right.
    """

    keys: tuple[str, ...]
    words: str
