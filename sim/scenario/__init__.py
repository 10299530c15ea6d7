"""Scenarios: what a simulated run does and what is expected of it, and the files they come from.

May import the engine, `sim.agents`, the names of `sim.measuring`, and `sim`'s durations and
questions.
"""

from sim.scenario.errors import Problem, ScenarioError
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
from sim.scenario.loading import load, parse, shipped_names, shipped_text

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
    "Problem",
    "RestartServer",
    "Resume",
    "Scenario",
    "ScenarioError",
    "Stop",
    "ValuePlan",
    "load",
    "parse",
    "shipped_names",
    "shipped_text",
]
