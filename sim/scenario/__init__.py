"""Scenarios: what a simulated run does and what is expected of it, and the files they come from.

May import the engine, `sim.agents` and `sim`'s durations.
"""

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
    ValuePlan,
)

__all__ = [
    "AnyHappening",
    "Burst",
    "Cut",
    "Expectation",
    "Fault",
    "Halt",
    "Happening",
    "Kill",
    "Latency",
    "MarketPlan",
    "News",
    "Pause",
    "Population",
    "RestartServer",
    "Resume",
    "Scenario",
    "Stop",
    "ValuePlan",
]
