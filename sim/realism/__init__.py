"""The realism scorecard: a simulated market held against what is known of real ones.

It says nothing about whether a run is sound, and no verdict depends on it.
"""

from sim.realism.facts import FACTS, Fact
from sim.realism.form import Finding, MarketScore, Scorecard
from sim.realism.score import score, scorecard
from sim.realism.tape import Tapes

__all__ = [
    "FACTS",
    "Fact",
    "Finding",
    "MarketScore",
    "Scorecard",
    "Tapes",
    "score",
    "scorecard",
]
