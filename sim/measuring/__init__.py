"""Measuring a run: one fold of its journal, and its samples, faults and records.

May import the engine, the store, `sim.recording`, `sim.audit` and `sim.floor`.
"""

from sim.measuring.evidence import Evidence, evidence_of
from sim.measuring.fold import JournalFold, Watch
from sim.measuring.form import (
    Depth,
    FaultSeries,
    KindFigures,
    MarketSeries,
    Measures,
    Value,
)
from sim.measuring.measuring import Measuring, measure
from sim.measuring.names import MEASURES, Measure, Scope, measure_of, written_names

__all__ = [
    "MEASURES",
    "Depth",
    "Evidence",
    "FaultSeries",
    "JournalFold",
    "KindFigures",
    "MarketSeries",
    "Measure",
    "Measures",
    "Measuring",
    "Scope",
    "Value",
    "Watch",
    "evidence_of",
    "measure",
    "measure_of",
    "written_names",
]
