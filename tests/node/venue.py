"""Instances on the loop of a test, and the same venue seen from outside."""

import asyncio
from pathlib import Path
from typing import Any

from matchbox_tui.engine import Event, Market, NewOrder, Side, dump_parts
from matchbox_tui.node import Node, Role, Settings
from matchbox_tui.store import (
    Archive,
    Client,
    Entry,
    Header,
    Keys,
    Link,
    Replica,
    Server,
    SnapshotFiles,
    Store,
)
from matchbox_tui.store.restore import read_tip
from tests.waiting import eventually

PATIENT = Settings(lease_ms=10_000, renew_ms=200, poll_ms=10)
"""A busy machine must not look like a dead leader."""

QUIET = Settings(lease_ms=10_000, renew_ms=200, poll_ms=10, snapshot_ms=86_400_000)
"""As `PATIENT`, and no snapshot but those that the test takes."""


def order(price: int = 50, qty: int = 10, side: Side = Side.BUY, **more: Any) -> NewOrder:
    return NewOrder(**{"order_id": 0, "side": side, "price": price, "qty": qty, **more})


def buy(price: int = 50, qty: int = 10, **more: Any) -> NewOrder:
    return order(price, qty, Side.BUY, **more)


def sell(price: int = 50, qty: int = 10, **more: Any) -> NewOrder:
    return order(price, qty, Side.SELL, **more)


class Instance:
    """A node that runs."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.task = asyncio.ensure_future(node.run())

    async def stop(self) -> None:
        self.node.stop()
        await self.task

    async def crash(self) -> None:
        """Ends it as a kill does, wherever it is: it releases nothing and tells nobody."""

        async def nothing(*_: object) -> bool:
            return False

        for name in ("release", "depart"):
            setattr(self.node.store, name, nothing)
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


class Venue:
    """One venue: its instances, and a client and a bare link to look at it."""

    def __init__(self, url: str, prefix: str, client: Client, link: Link) -> None:
        self.url = url
        self.prefix = prefix
        self.keys = Keys(prefix)
        self.client = client
        self.link = link
        self.instances: dict[str, Instance] = {}

    def start(
        self,
        name: str,
        settings: Settings = PATIENT,
        markets: tuple[Market, ...] = (),
        data_dir: Path | None = None,
    ) -> Instance:
        store = Store(Server(self.url), self.keys, name)
        files = SnapshotFiles(data_dir) if data_dir is not None else None
        instance = self.instances[name] = Instance(Node(store, settings, markets, files=files))
        return instance

    async def lead(self, name: str = "a", **options: Any) -> Instance:
        """Starts an instance and waits until it leads."""
        instance = self.start(name, **options)
        await self.leads(name)
        return instance

    async def leads(self, name: str) -> None:
        node = self.instances[name].node
        await eventually(_holding(lambda: node.role), lambda role: role is Role.LEADING)

    async def leader(self) -> str:
        """The name of the one instance that leads."""

        async def leading() -> list[str]:
            return [
                name
                for name, instance in self.instances.items()
                if instance.node.role is Role.LEADING
            ]

        (name,) = await eventually(leading, lambda names: len(names) == 1)
        return name

    async def handled(self) -> int:
        """Waits until the queue is empty; the journal's tip."""
        status = await eventually(self.client.cluster, lambda status: status.queue_depth == 0)
        return status.seq

    async def journal(self) -> list[Entry]:
        """The whole journal; its chain and its events are checked on the way."""
        replica, entries = Replica(), []
        seq = (await self.client.cluster()).seq
        async for entry in self.client.follow(replica, until=seq):
            entries.append(entry)  # noqa: PERF401  # the place to stop is the iterator's
        return entries

    async def events(self) -> list[Event]:
        return [event for entry in await self.journal() for event in entry.events]

    async def replica(self) -> Replica:
        """A fresh replay of the journal."""
        replica = Replica()
        await self.client.catch_up(replica)
        return replica

    async def restored(self) -> Replica:
        """As `replica`, where the journal's beginning may be gone."""
        replica = await self.client.restore()
        await self.client.catch_up(replica)
        return replica

    async def snapshot(self, history: int = 1_000_000) -> int:
        """Takes one of where the journal is; its sequence."""
        replica = await self.restored()
        counter = int(await self.link.call("GET", self.keys.order_id) or 0)
        head = Header(replica.seq, replica.chain, replica.epoch, counter, 1_700_000_000_000)
        archive = Archive(self.link, self.keys, "test")
        await archive.write(head, dump_parts(replica.exchange), history)
        return head.seq

    async def caught_up(self, instance: Instance) -> Replica:
        """The instance's replica, once it is at the journal's tip."""

        async def at_the_tip() -> bool:
            # Its sequence alone won't do: it may hold a history that was set back.
            return await read_tip(self.link, self.keys) == instance.node.replica.tip

        await eventually(at_the_tip)
        return instance.node.replica

    async def stop(self) -> None:
        for instance in self.instances.values():
            instance.node.stop()
        tasks = [instance.task for instance in self.instances.values()]
        await asyncio.gather(*tasks, return_exceptions=True)


def _holding(look: Any) -> Any:
    async def asked() -> Any:
        return look()

    return asked
