"""The traders: one file for each kind of agent, and what all of them share.

An agent knows what a client may know (`Sight`) and acts through commands; nothing in it knows
which runner drives it. It has no clock and no chance of its own: `Dice` are handed in. May import
the engine and `sim`'s durations, nothing else.
"""

from sim.agents.agent import Action, Agent, Hire, clamped
from sim.agents.dice import Dice
from sim.agents.view import Sight, Tape

__all__ = [
    "Action",
    "Agent",
    "Dice",
    "Hire",
    "Sight",
    "Tape",
    "clamped",
]
