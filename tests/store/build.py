"""Short spellings for the store's tests: orders, stores, commits, and a venue's whole content."""

from typing import Any

from matchbox_tui.engine import (
    CancelOrder,
    NewOrder,
    Side,
    Tagged,
    decode_command,
    encode_command,
    encode_events,
)
from matchbox_tui.store import Commit, Keys, Link, Replica, Store, Tenure
from matchbox_tui.store.scripts import Script

LEASE = 60_000

Content = dict[bytes, tuple[bytes, int]]


def order(price: int = 50, qty: int = 10, side: Side = Side.BUY, **more: Any) -> NewOrder:
    return NewOrder(**{"order_id": 0, "side": side, "price": price, "qty": qty, **more})


def buy(price: int = 50, qty: int = 10, **more: Any) -> NewOrder:
    return order(price, qty, Side.BUY, **more)


def sell(price: int = 50, qty: int = 10, **more: Any) -> NewOrder:
    return order(price, qty, Side.SELL, **more)


def cancel(order_id: int) -> CancelOrder:
    return CancelOrder(order_id)


async def queued(link: Link, keys: Keys) -> list[Any]:
    """The commands in the queue."""
    return [decode_command(element) for element in await link.call("LRANGE", keys.queue, 0, -1)]


async def put(link: Link, keys: Keys, *commands: NewOrder | Tagged) -> list[bytes]:
    """Queues commands as they are, and returns them as they stand in the queue."""
    elements = [encode_command(command) for command in commands]
    await link.call("RPUSH", keys.queue, *elements)
    return elements


async def content(link: Link, prefix: str) -> Content:
    """Every key of the venue: its value as the server dumps it, and when it expires."""
    found = {}
    for key in sorted(await link.call("KEYS", f"{prefix}*")):
        found[key] = (await link.call("DUMP", key), await _expiry(link, key))
    return found


async def _expiry(link: Link, key: bytes) -> int:
    """When the key expires, in ms since the epoch; negative where it doesn't."""
    # Redis 6.2 has no PEXPIRETIME. The clock may tick between the two, so the latest counts.
    replies = await link.calls([("TIME",), ("PTTL", key)] * 3)
    if replies[1] < 0:
        return int(replies[1])
    return max(
        int(seconds) * 1000 + int(micros) // 1000 + left
        for (seconds, micros), left in zip(replies[::2], replies[1::2], strict=True)
    )


def match(elements: list[bytes], replica: Replica, epoch: int) -> Commit:
    """What a leader would commit for these queue elements; moves the replica."""
    before = replica.tip
    events = [
        event for element in elements for event in replica.exchange.apply(decode_command(element))
    ]
    blob = encode_events(events)
    replica.advance(blob, epoch)
    return Commit(epoch, before, replica.tip, list(elements), blob, {"MAIN": b"{}"})


async def elected(store: Store) -> Tenure:
    tenure = await store.elect(LEASE)
    assert tenure is not None
    return tenure


def altered(script: Script, *changes: tuple[str, str]) -> Script:
    """The script without one of its guards."""
    text = script.text
    for old, new in changes:
        assert text.count(old) == 1, f"the script has no single {old!r}"
        text = text.replace(old, new)
    return Script(text)
