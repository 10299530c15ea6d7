"""The live runner: a whole run on real processes, a real server and real faults, in real time.

The server is private, the instances are processes, and the agents trade in one more process, over
connections of their own. What happens at a time is done from here: halts and bursts through a
client, faults to processes, the server and the network between them. What the agents see and how
long their commands take is what it is: nothing is modelled, and no two runs are the same.

The journal is followed and recorded while the run goes on, so that a run that is killed leaves what
was. May import everything of `sim` but the virtual runner.
"""

from sim.live.runner import run

__all__ = ["run"]
