"""Real faults on a running venue: processes, the server, and the network in between.

May import the store and what runs a venue: `sim.cluster` and `sim.watcher`.
"""

from sim.faults.faults import THROUGH_PROXY, Faults, Unhealed
from sim.faults.recovery import KINDS, Recovery

__all__ = ["KINDS", "THROUGH_PROXY", "Faults", "Recovery", "Unhealed"]
