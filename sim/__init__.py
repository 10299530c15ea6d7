"""The simulator: agents, real clusters of processes, and counts of what happened.

May import the engine and the store. Nodes are started as processes, by command line.
"""

from sim.census import Census, Summary
from sim.cluster import API_HOST, Cluster
from sim.crews import scenario_crew, standard_crew
from sim.floor import FloorRecord
from sim.questions import make_markets
from sim.trading_floor import TradingFloor

__all__ = [
    "API_HOST",
    "Census",
    "Cluster",
    "FloorRecord",
    "Summary",
    "TradingFloor",
    "make_markets",
    "scenario_crew",
    "standard_crew",
]
