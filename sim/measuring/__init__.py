"""Measuring a run: one fold of its journal, and its samples, faults and records.

May import the engine, the store, `sim.recording` and `sim.audit`.
"""

from sim.measuring.names import MEASURES, Measure, Scope, measure_of, written_names

__all__ = ["MEASURES", "Measure", "Scope", "measure_of", "written_names"]
