"""Traders who have much to do and let nobody see it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from matchbox_tui.engine import Side
from sim.agents.agent import Action, Hire
from sim.agents.orders import taking_within
from sim.agents.parameters import Contracts, Count, Glance, Interval, PerMille, Ticks
from sim.agents.view import Sight
from sim.durations import Duration

_LONG = 3_600_000_000_000
"""An hour, in ns: when somebody with nothing left to do looks again."""


_MOST_TIMES = 32
"""How much larger than the least a parent order may become."""


class SlicerParameters(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    style: Annotated[
        Literal["twap", "pov"],
        Meta(description="twap: equal slices in equal times; pov: a share of what is traded"),
    ] = "twap"
    side: Annotated[
        Literal["buy", "sell", "either"],
        Meta(description="what it does; either: a coin decides for each parent order"),
    ] = "either"
    quantity: Annotated[Contracts, Meta(description="size of a parent order, contracts")] = 500
    horizon: Annotated[
        Interval, Meta(description="time for a parent order; what is left then is given up")
    ] = 20_000_000_000
    doubling: Annotated[
        Annotated[int, Meta(ge=0, le=900)],
        Meta(
            description="chance that a parent order is twice as large and lasts twice as long, and "
            "then that it is so once more, up to 32 times as large, per mille"
        ),
    ] = 0
    slices: Annotated[Count, Meta(description="twap: slices of a parent order")] = 20
    share: Annotated[
        Annotated[int, Meta(ge=1, le=900)],
        Meta(description="pov: its part of all that is traded, per mille"),
    ] = 100
    every: Annotated[Interval, Meta(description="pov: time between two looks at the tape")] = (
        500_000_000
    )
    slippage: Annotated[
        Ticks, Meta(description="how far beyond the best price it takes, ticks")
    ] = 5
    jitter: Annotated[
        PerMille,
        Meta(
            description="how much of the wait for its next slice is by chance, per mille; "
            "0: it looks when one is due"
        ),
    ] = 0
    rest: Annotated[Glance, Meta(description="mean time from a parent order to the next")] = (
        20_000_000_000
    )
    first: Annotated[
        Duration, Meta(description="when it begins the first one; 0: by chance, as the others")
    ] = 0
    max_position: Annotated[
        Contracts,
        Meta(
            description="either: once it holds or is short of so much, the next parent order is "
            "the way back, contracts"
        ),
    ] = 5_000
    parents: Annotated[
        int, Meta(ge=0, le=10**6, description="parent orders in all; 0: no end of them")
    ] = 0


class Slicer:
    """Takes a large order in slices, so that each one moves the price little, then rests.

    By time (TWAP) as the schedule of Almgren and Chriss (2001, J. Risk 3) for who bears no risk:
    equal slices, and a later one makes up for what an earlier one missed. By volume (POV) as in
    Bialkowski, Darolles and Le Fol (2008, J. Banking & Finance 32): never more than its share of
    what is traded, its own trades included.

    With `doubling` the sizes of parent orders fall off by a power law, with the exponent
    log2(1000 / `doubling`), up to a bound. That is what Lillo, Mike and Farmer (2005, Physical
    Review E 71) put the long memory of the takers' sides down to.
    """

    __slots__ = (
        "_at",
        "_begun",
        "_dice",
        "_held_before",
        "_parameters",
        "_side",
        "_start",
        "_times",
        "_volume_before",
        "market",
        "trader",
    )

    def __init__(self, hire: Hire, parameters: SlicerParameters) -> None:
        self.trader = hire.trader
        self.market = hire.market
        self._dice = hire.dice
        self._parameters = parameters
        self._side: Side | None = None
        self._begun = 0
        self._times = 1
        self._start = self._at = self._held_before = self._volume_before = 0

    def wait(self) -> int:
        parameters = self._parameters
        if self._side is None:
            if self._is_over():
                return _LONG
            if not self._begun and parameters.first:
                return parameters.first
            return 1 + self._dice.exponential(parameters.rest)
        end = self._start + parameters.horizon * self._times
        due = self._at + parameters.every
        if parameters.style == "twap":
            # Rounded up, so that the next slice is due when it is looked at.
            due = self._start - -self._slices_due() * parameters.horizon // parameters.slices
        wait = max(1, min(due, end) - self._at)
        if parameters.jitter:
            part = wait * parameters.jitter // 1000
            wait += 1 + self._dice.exponential(part) - part
        return wait

    def act(self, sight: Sight) -> list[Action]:
        self._at = sight.now
        parameters = self._parameters
        if self._side is None:
            if self._is_over():
                return []
            self._begins(sight)
        done = abs(sight.position.qty - self._held_before)
        left = parameters.quantity * self._times - done
        if left <= 0 or sight.now - self._start >= parameters.horizon * self._times:
            self._side = None
            return []
        due = min(left, self._missing(sight, done))
        assert self._side is not None
        order = taking_within(sight, self._side, parameters.slippage, due) if due > 0 else None
        return [order] if order is not None else []

    def _begins(self, sight: Sight) -> None:
        """A parent order, from now on."""
        wanted = self._parameters.side
        if wanted == "either":
            wanted = "buy" if self._dice.bits(1) else "sell"
            held = sight.position.qty
            if abs(held) >= self._parameters.max_position:
                wanted = "sell" if held > 0 else "buy"
        self._begun += 1
        self._side = Side(wanted)
        self._times = 1
        doubling = self._parameters.doubling
        while doubling and self._times < _MOST_TIMES and self._dice.happens(doubling):
            self._times *= 2
        self._start = sight.now
        self._held_before = sight.position.qty
        self._volume_before = sight.tape.volume

    def _is_over(self) -> bool:
        """Whether all parent orders have been begun."""
        return 0 < self._parameters.parents <= self._begun

    def _slices_due(self) -> int:
        parameters = self._parameters
        elapsed = self._at - self._start
        return min(
            parameters.slices * self._times, 1 + elapsed * parameters.slices // parameters.horizon
        )

    def _missing(self, sight: Sight, done: int) -> int:
        """Contracts to trade now, to be where it should be; none or fewer where it is."""
        parameters = self._parameters
        if parameters.style == "twap":
            return parameters.quantity * self._slices_due() // parameters.slices - done
        volume = sight.tape.volume - self._volume_before
        # What it trades adds to the volume of which it is to have its share.
        return (parameters.share * volume - 1000 * done) // (1000 - parameters.share)
