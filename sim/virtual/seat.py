"""An agent's place in a run."""

from collections.abc import Callable

from sim.agents import Action, Dice, Sight
from sim.hiring import Hired


class Seat:
    """An agent, what it sees, and how long its commands take to arrive.

    `sent` are the commands that are on their way, None where there are none; `ready` is when it
    wants to act again, in ns since the run's start.
    """

    __slots__ = (
        "act",
        "exponential",
        "jitter",
        "least",
        "number",
        "ready",
        "sent",
        "sight",
        "wait",
    )

    def __init__(self, number: int, hired: Hired, sight: Sight, chance: Dice) -> None:
        """`chance` is its population's, for the latencies."""
        self.number = number
        agent, latency = hired.agent, hired.population.latency
        self.act: Callable[[Sight], list[Action]] = agent.act
        self.wait: Callable[[], int] = agent.wait
        self.sight = sight
        self.least = latency.least
        self.jitter = latency.jitter
        self.exponential = chance.exponential
        self.sent: list[Action] | None = None
        self.ready = 0
