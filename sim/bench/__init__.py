"""Benchmarks: two things side by side in one run, in rounds, as medians of ratios.

A topic is a function that takes a `Plan` and whom to tell of its progress, and returns a `Report`.
May import the engine, the store and the simulator; everything else is reached over the wire.
"""

from sim.bench.api import bench_api
from sim.bench.consumers import bench_consumers
from sim.bench.engine import bench_engine
from sim.bench.idle import bench_idle
from sim.bench.machine import Machine
from sim.bench.pipeline import bench_pipeline
from sim.bench.processes import Failed
from sim.bench.record import Compared, Record, Unreadable, beside, read, write
from sim.bench.report import Plan, Report, Row
from sim.bench.sim import bench_sim
from sim.bench.soak import bench_soak
from sim.bench.start import bench_start
from sim.bench.store import bench_store
from sim.bench.tui import bench_tui

__all__ = [
    "Compared",
    "Failed",
    "Machine",
    "Plan",
    "Record",
    "Report",
    "Row",
    "Unreadable",
    "bench_api",
    "bench_consumers",
    "bench_engine",
    "bench_idle",
    "bench_pipeline",
    "bench_sim",
    "bench_soak",
    "bench_start",
    "bench_store",
    "bench_tui",
    "beside",
    "read",
    "write",
]
