"""The operator of `matchbox play`: real signals to the processes that it has started."""

import asyncio
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matchbox_tui.cli.recording import Recording
    from matchbox_tui.store import EmbeddedServer
    from sim import Cluster
    from sim.cluster import Member

HASH_EVERY = 500
"""Every so many commands the instances of a market on the screen publish their state hash."""

_DEPOSED = "No longer leader: "


class PlayOperator:
    """Does to the cluster and to the private server what the keys ask for."""

    hash_every = HASH_EVERY

    def __init__(
        self,
        cluster: "Cluster",
        server: "EmbeddedServer | None",
        recording: "Recording | None" = None,
    ) -> None:
        self.recording = recording
        self._cluster = cluster
        self._server = server
        self._frozen: Member | None = None
        self._log_at = 0
        self.restarting = False
        """Whether the server is down because we want it to be."""

    async def kill(self, instance: str) -> str:
        return self._signal(instance, signal.SIGKILL, "kill -9")

    async def freeze(self, instance: str) -> str:
        words = self._signal(instance, signal.SIGSTOP, "kill -STOP")
        self._frozen = self._cluster.nodes[instance]
        self._log_at = len(self._log(instance))
        return words

    async def thaw(self) -> str:
        name, self._frozen = self.frozen(), None
        return self._signal(name, signal.SIGCONT, "kill -CONT")

    async def stop(self, instance: str) -> str:
        if instance == self.frozen():
            raise ValueError(f"{instance} is frozen and hears nothing: F lets it go on, K kills it")
        return self._signal(instance, signal.SIGTERM, "kill -TERM")

    async def restart(self) -> str:
        started = self._cluster.restart()
        if not started:
            raise ValueError("everything runs")
        return f"started {', '.join(started)} again"

    async def kill_server(self) -> str:
        server = self._server
        if server is None:
            raise ValueError("the server is not a private one: it is not ours to kill")
        if self.restarting:
            raise ValueError("the server is being started again")
        self.restarting = True
        try:
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.restart)
        finally:
            self.restarting = False
        return "kill -9 of the server, and started again"

    def traders_ended(self) -> str:
        traders = self._cluster.traders
        return traders.ending() if traders is not None else ""

    def frozen(self) -> str:
        frozen = self._frozen
        # One that was killed while it was frozen has nothing to go on with.
        return frozen.name if frozen is not None and frozen.alive() else ""

    def deposed_words(self, instance: str) -> str:
        lines = self._log(instance)[self._log_at :].splitlines()
        told = [line.partition(_DEPOSED)[2] for line in lines if _DEPOSED in line]
        return told[-1] if told else ""

    def _log(self, instance: str) -> str:
        try:
            return self._cluster.nodes[instance].log.read_text(errors="replace")
        except OSError:
            return ""

    def _signal(self, instance: str, number: signal.Signals, words: str) -> str:
        node = self._cluster.nodes.get(instance)
        if node is None:
            raise ValueError(f"{instance or 'it'} is no process of this market")
        if not node.alive():
            raise ValueError(f"{instance} has ended: R starts it again")
        node.signal(number)
        return f"{words} {node.process.pid} ({instance})"
