"""An agent's place in a run."""

from collections.abc import Callable

from sim.agents import Action, Sight
from sim.hiring import Hired


class Seat:
    """An agent, what it sees, and how long its commands take to arrive.

    `sent` are the commands that are on their way, None where there are none, and `sent_at` is their
    time, in ns since the epoch; `ready` is when it wants to act again, in ns since the run's start.
    """

    __slots__ = (
        "agent",
        "delay",
        "jitter",
        "least",
        "number",
        "ready",
        "sent",
        "sent_at",
        "sight",
    )

    def __init__(
        self, number: int, hired: Hired, sight: Sight, delay: Callable[[int], int]
    ) -> None:
        """`delay` draws a latency's jitter of such a mean."""
        self.number = number
        latency = hired.population.latency
        self.agent = hired.agent
        self.sight = sight
        self.least = latency.least
        self.jitter = latency.jitter
        self.delay = delay
        self.sent: list[Action] | None = None
        self.sent_at = 0
        self.ready = 0
