"""The virtual runner: a whole run in one process, on a clock of its own, without a server.

Events happen one after the other in the order of their times. The engine is the real one, and so
are the journal's entries; what stands between the agents and it is a model:

- An agent sees the state as it is when it acts. Its commands arrive together after its
  population's latency, and it is not asked again before they are in the journal.
- Commands are queued as they arrive, and get their order ids then. A leader that is free takes
  what is there, `MAX_BATCH` commands at most; they are in the journal, and everybody sees what
  came of them, `COMMIT_NS` and `COMMAND_NS` for each of them later.
- A fault of the leader, or of the server, is an outage: what was taken and is not in the journal
  stays in the queue, commands go on arriving, and after as long as such a fault was measured to
  take (docs/reliability.md) the next instance leads, in the next epoch.

So the virtual runner shows what traders and the market make of such delays. That the real
instances and the real store lose nothing meanwhile is for the live runner to prove.

The same scenario and seed give the same journal, byte for byte: there is no clock but the virtual
one, no chance but `Dice`, nothing goes by the order of hashes, and no number is a float. May import
everything of `sim` but the live runner.
"""

from sim.virtual.agenda import START
from sim.virtual.outages import SERVER
from sim.virtual.runner import run
from sim.virtual.venue import COMMAND_NS, COMMIT_NS

__all__ = ["COMMAND_NS", "COMMIT_NS", "SERVER", "START", "run"]
