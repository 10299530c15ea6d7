"""An agent's place in a run."""

from collections.abc import Callable, Sequence

from sim.agents import Action, Sight
from sim.hiring import Hired


class Seat:
    """An agent, what it sees, and how long its commands take to arrive: `least`, and what `bits`
    draw of `jitter`, in ns; nothing more where that is empty.

    `sent` are the commands that are on their way, and `sent_at` is the time of the last ones, in ns
    since the epoch; `ready` is when it wants to act again, in ns since the run's start.
    """

    __slots__ = (
        "agent",
        "bits",
        "jitter",
        "least",
        "number",
        "ready",
        "sent",
        "sent_at",
        "sight",
    )

    def __init__(
        self,
        number: int,
        hired: Hired,
        sight: Sight,
        bits: Callable[[int], int],
        jitter: Sequence[int],
    ) -> None:
        self.number = number
        self.agent = hired.agent
        self.sight = sight
        self.least = hired.population.latency.least
        self.bits = bits
        self.jitter = jitter
        self.sent: list[Action] = []
        self.sent_at = 0
        self.ready = 0
