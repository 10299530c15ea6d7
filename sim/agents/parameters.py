"""The units in which the kinds of agents take their parameters."""

from typing import Annotated

from msgspec import Meta

from sim.durations import DURATION

Interval = Annotated[int, Meta(ge=1_000, extra={"unit": DURATION})]
"""A length of time in ns that something is repeated after: a microsecond at least."""

Ticks = Annotated[int, Meta(ge=0, le=10**9)]
Contracts = Annotated[int, Meta(ge=1, le=10**9)]
Count = Annotated[int, Meta(ge=1, le=1_000)]
PerMille = Annotated[int, Meta(ge=0, le=1_000)]
Thousandths = Annotated[int, Meta(ge=0, le=10**9)]
"""Of a tick."""
