"""WebSocket clients that count what they are told."""

import time

from sim.bench.figures import latency
from sim.bench.jobs import Connected, ConnectJob, Heard, ListenJob
from sim.bench.ws_clients import Crowd


class Audience:
    """Clients of the feed of fills, from their coming to their leaving."""

    def __init__(self, job: ConnectJob) -> None:
        """Raises `NotConnected` or `OSError` where not all of them get in."""
        self._crowd = Crowd("127.0.0.1", job.port, job.clients)

    @property
    def connected(self) -> Connected:
        return Connected(len(self._crowd.clients))

    def listen(self, job: ListenJob) -> Heard:
        """Does the job; the clients have left afterwards."""
        crowd = self._crowd
        began = time.monotonic()
        try:
            crowd.read(job.seconds)
            # To ask after every read whether all is there would cost more than reading.
            while not crowd.have(job.fills) and time.monotonic() - began < job.patience:
                crowd.read(0.05)
            seconds = time.monotonic() - began
            # What should not come, as a fill that is told twice, comes now.
            crowd.read(0.1)
        finally:
            crowd.close()
        counts = crowd.counts()
        return Heard(
            fills=sum(counts),
            lost=crowd.lost(job.fills),
            disordered=crowd.disordered,
            disconnected=sum(client.closed is not None for client in crowd.clients),
            seconds=seconds,
            latency=latency(crowd.latencies),
        )
