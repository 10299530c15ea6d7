"""Engine instances as real processes on the test's venue, and a client that keeps a record."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from matchbox_tui.engine import NewOrder
from matchbox_tui.store import Client, InDoubt, Overloaded, Unreachable
from sim.cluster import Cluster
from tests.waiting import eventually


@contextmanager
def cluster_of(
    names: list[str], url: str, prefix: str, logs: Path, **env: str
) -> Iterator[Cluster]:
    """Starts the instances; ends them all, whatever happens."""
    cluster = Cluster(url, logs, prefix=prefix, settings=env)
    try:
        for name in names:
            cluster.start_node(name)
        yield cluster
    finally:
        for member in cluster.nodes.values():
            member.signal(signal.SIGCONT)
            member.signal(signal.SIGKILL)
        cluster.stop()


async def leads(client: Client, *others_than: str) -> str:
    """The leader's name, once it is none of the given ones."""
    status = await eventually(
        client.cluster, lambda status: status.leader not in (None, *others_than)
    )
    assert status.leader is not None
    return status.leader


async def stand_by(client: Client, names: list[str]) -> None:
    """Waits until one of the instances leads and the others follow at the tip."""
    roles = ["follower"] * (len(names) - 1) + ["leading"]
    await eventually(
        client.cluster,
        lambda status: (
            sorted(one.role for one in status.instances) == roles
            and {one.id for one in status.instances} == set(names)
        ),
    )


class Submitter:
    """Submits batches without end, and records what was acknowledged and what is in doubt."""

    def __init__(self, client: Client, orders: Callable[[], list[NewOrder]], pause: float) -> None:
        self._client = client
        self._orders = orders
        self._pause = pause
        self._stopping = asyncio.Event()
        self._task = asyncio.ensure_future(self._run())
        self.acknowledged: list[int] = []
        self.in_doubt = 0

    async def _run(self) -> None:
        while not self._stopping.is_set():
            orders = self._orders()
            try:
                self.acknowledged += await self._client.submit(orders)
            except InDoubt:
                self.in_doubt += len(orders)
            except (Unreachable, Overloaded):
                pass
            await asyncio.sleep(self._pause)

    def passes(self, count: int) -> Awaitable[bool]:
        """Waits until so many more orders are acknowledged."""
        goal = len(self.acknowledged) + count

        async def reached() -> bool:
            assert not self._task.done() or self._stopping.is_set(), "the submitter failed"
            return len(self.acknowledged) >= goal

        return eventually(reached)

    async def stop(self) -> list[int]:
        self._stopping.set()
        await self._task
        return self.acknowledged
