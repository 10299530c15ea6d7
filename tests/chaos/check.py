"""Whether a venue's history is exact: what was acknowledged happened once, in order, for all."""

import contextlib
import itertools
from collections.abc import Iterable

import msgspec

from matchbox_tui.engine import Event, OrderAccepted, OrderRejected, TradeExecuted
from matchbox_tui.store import (
    Client,
    Entry,
    FillMessage,
    JournalBroken,
    Keys,
    Link,
    Replica,
    fill_message,
)
from matchbox_tui.store.journal import parse_entry
from sim.audit import audit_venue
from sim.floor import FloorRecord
from tests.waiting import PATIENCE, eventually

HASH_EVERY = 50


class Wrong(Exception):
    """What is not as it should be."""


async def check(
    client: Client,
    link: Link,
    keys: Keys,
    record: FloorRecord,
    entries: list[Entry],
    *,
    instances: Iterable[str] = (),
    patience: float = PATIENCE,
) -> None:
    """Checks a venue at rest. Raises `Wrong`.

    `entries` is the journal from its beginning as it was seen before. Each of the instances must
    have published the state hash of its replay; fills and hashes may take `patience` seconds.
    """
    replica = Replica()
    try:
        for entry in entries:
            replica.apply(entry)
    except JournalBroken as error:
        raise Wrong(str(error)) from None
    await _check_journal(link, keys, entries)
    await _check_tip(link, keys, replica)
    _check_orders(entries, record)
    await _check_fills(link, keys, entries, patience)
    await _check_hashes(link, keys, replica, instances, patience)
    verdict = await audit_venue(client.server.url, keys.prefix, record)
    if not verdict.ok:
        raise Wrong("\n".join(verdict.lines()))


async def _check_journal(link: Link, keys: Keys, entries: list[Entry]) -> None:
    try:
        found = [parse_entry(entry) for entry in await link.call("XRANGE", keys.log, "-", "+")]
    except JournalBroken as error:
        raise Wrong(str(error)) from None
    # The beginning may have been trimmed since.
    if not found or found != entries[-len(found) :]:
        raise Wrong("the journal is not the one that was seen before")


async def _check_tip(link: Link, keys: Keys, replica: Replica) -> None:
    seq, chain, epoch = await link.call("HMGET", keys.cursor, "seq", "chain", "epoch")
    if (int(seq), chain.decode()) != (replica.seq, replica.chain):
        raise Wrong(f"the cursor is at {seq!r} {chain!r}, the journal at {replica.tip}")
    if int(epoch) != replica.epoch or replica.epoch > int(await link.call("GET", keys.epoch)):
        raise Wrong(f"the cursor has epoch {epoch!r}, the journal {replica.epoch}")


def _check_orders(entries: list[Entry], record: FloorRecord) -> None:
    ids = [
        event.order_id
        for event in _events(entries)
        if isinstance(event, OrderAccepted | OrderRejected)
    ]
    if ids != sorted(set(ids)):
        raise Wrong("orders were answered twice, or in another order than they were queued")
    answered = set(ids)
    told = list(itertools.chain.from_iterable(range(a, b + 1) for a, b in record.order_ids))
    if len(told) != len(set(told)):
        raise Wrong("one id was given to two orders")
    lost = sorted(set(told) - answered)
    if lost:
        raise Wrong(f"{len(lost)} acknowledged orders never happened: {lost[:9]}")
    if len(answered) > len(told) + record.in_doubt:
        raise Wrong(
            f"{len(answered)} orders happened, {len(told)} were acknowledged"
            f" and {record.in_doubt} in doubt"
        )


async def _check_fills(link: Link, keys: Keys, entries: list[Entry], patience: float) -> None:
    fills = [fill_message(event) for event in _events(entries) if isinstance(event, TradeExecuted)]

    async def last() -> str:
        found = await link.call("XREVRANGE", keys.fills_stream, "+", "-", "COUNT", 1)
        return str(found[0][0].decode()) if found else ""

    with contextlib.suppress(AssertionError):
        await eventually(last, lambda name: not fills or name == fills[-1].trade_id, patience)
    stream = [
        (entry_id.decode(), msgspec.json.decode(flat[1], type=FillMessage))
        for entry_id, flat in await link.call("XRANGE", keys.fills_stream, "-", "+")
    ]
    # The beginning may have been trimmed since, as far as the journal's was.
    journal = await link.call("XRANGE", keys.log, "-", "+", "COUNT", 1)
    begins = parse_entry(journal[0]).first_seq if journal else 1
    gone = max(0, len(fills) - len(stream))
    trimmed = [fill.trade_id for fill in fills[:gone]]
    if stream != [(fill.trade_id, fill) for fill in fills[gone:]] or any(
        int(name.partition("-")[0]) >= begins for name in trimmed
    ):
        raise Wrong("events_stream does not hold the journal's fills, each once and in order")


async def _check_hashes(
    link: Link, keys: Keys, replica: Replica, instances: Iterable[str], patience: float
) -> None:
    wanted = {(name, replica.exchange.state_hash()) for name in instances}

    async def published() -> set[tuple[str, str]]:
        found = set()
        for _, flat in await link.call("XREVRANGE", keys.hashes, "+", "-", "COUNT", 100):
            fields = dict(zip(flat[::2], flat[1::2], strict=True))
            if int(fields[b"seq"]) == replica.seq:
                found.add((fields[b"id"].decode(), fields[b"hash"].decode()))
        return found

    with contextlib.suppress(AssertionError):
        await eventually(published, lambda found: len(found) >= len(wanted), patience)
    found = await published()
    if not wanted <= found:
        raise Wrong(f"state hashes at {replica.seq} differ: {found}, an offline replay: {wanted}")


def _events(entries: list[Entry]) -> Iterable[Event]:
    return itertools.chain.from_iterable(entry.events for entry in entries)
