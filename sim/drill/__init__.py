"""The drill: a private venue that trades, faults, and the proof that nothing was lost.

May import everything of `sim` but the runners.
"""

from sim.drill.drill import Drill
from sim.drill.report import DrillReport, FaultReport
from sim.drill.venue import Plan

__all__ = ["Drill", "DrillReport", "FaultReport", "Plan"]
