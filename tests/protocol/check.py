"""What must hold when a run is over: the invariants I1 to I8, as far as each can be seen here.

The checker is omniscient: it knows what was ever queued and committed, and what a rewind undid.
After a rewind only what survives in the store counts, but nothing may be doubled or contradict
itself.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from matchbox_tui.engine import (
    DEFAULT_MARKET,
    Event,
    Market,
    NewOrder,
    TradeExecuted,
    decode_command,
    encode_events,
)
from matchbox_tui.node import Role
from matchbox_tui.store import Entry, JournalBroken, Replica, Tip, fill_message
from matchbox_tui.store.journal import parse_entry
from matchbox_tui.store.scripts import ID_MARGIN
from sim.naive import NaiveExchange
from tests.engine.ledger import Ledger, check_books

if TYPE_CHECKING:
    from tests.protocol.traders import Asked
    from tests.protocol.world import World


def unsettled(world: World) -> list[str]:
    """What is still to be done before all is well: no leader, commands waiting, replicas behind."""
    return list(_unsettled(world))


def _unsettled(world: World) -> Iterator[str]:
    venue = world.server.venue
    waiting = len(venue.elements(world.keys.queue.encode()))
    if waiting:
        yield f"{waiting} commands wait in the queue"
        return
    leaders = [one for one in world.instances if one.node and one.node.role is Role.LEADING]
    if len(leaders) != 1:
        yield f"{len(leaders)} instances lead"
    elif venue.string(world.keys.leader.encode()) != leaders[0].name.encode():
        yield "the leader is not the one that the store names"
    tip = _tip(world)
    counter = int(venue.string(world.keys.order_id.encode()) or 0)
    for one in world.instances:
        if not one.runs or one.node is None:
            yield f"{one.name} does not run"
        elif one.node.replica.tip != tip:
            yield f"{one.name} is at {one.node.replica.tip}, the journal at {tip}"
        elif one.node.store.highest_id > counter:
            yield f"the id counter is {counter}, {one.name} has seen {one.node.store.highest_id}"
    stream = venue.stream(world.keys.fills_stream.encode())
    count = len(stream.ids) + stream.gone if stream is not None else 0
    fills = sum(blob.count(b'"trade.executed"') for blob in _blobs(world))
    if count < fills:
        yield f"{count} of {fills} fills are in the stream"


def everything(world: World) -> list[str]:
    """All that is wrong at the end of a run, in plain words; nothing where all holds."""
    wrong: list[str] = []
    for question in (_leads, _journal, _clients, _ids):
        wrong += question(world)
    return wrong


def ended_cleanly(world: World) -> list[str]:
    """What instances that were stopped left behind."""
    wrong = [f"{one.name} does not end" for one in world.instances if one.runs]
    venue = world.server.venue
    if venue.string(world.keys.leader.encode()) is not None:
        wrong.append("the lead was not released")
    if any(venue.get(world.keys.instance(one.name).encode()) for one in world.instances):
        wrong.append("a heartbeat was left behind")
    return wrong


def fingerprint(world: World) -> str:
    """A digest of all that happened at the server: equal runs, equal fingerprints."""
    record, venue = world.server.record, world.server.venue
    found = hashlib.blake2b(repr(record.deeds).encode(), digest_size=12)
    for element in (*record.wiped, *record.told, *venue.asked):
        found.update(element)
    for entry_id, flat in venue.written:
        found.update(b"%b%b" % (entry_id, b"".join(flat)))
    found.update(repr((world.loop.time(), sorted(world.wrong))).encode())
    return found.hexdigest()


# The lead


def _leads(world: World) -> Iterator[str]:
    """Epochs rise, only the newest leader commits, and it is never refused its own commit."""
    record = world.server.record
    took, who = 0, ""
    for deed in record.deeds:
        if deed.what == "took":
            if deed.epoch <= took and not record.rewinds:
                yield f"epoch {deed.epoch} was given to {deed.who} after {took}"
            took, who = deed.epoch, deed.who
        elif deed.what == "OK" and not record.rewinds and (deed.epoch, deed.who) != (took, who):
            yield (
                f"{deed.who} of epoch {deed.epoch} committed {deed.seq} after {who} had been"
                f" elected for epoch {took}"
            )
        elif (
            deed.what in ("CAS", "INPUT")
            and (deed.epoch, deed.who) == (took, who)
            and deed.sure
            and not record.rewinds
        ):
            yield f"commit {deed.seq} of {who}, who led in epoch {took}, met {deed.what}"


# I2 to I8: the journal against the queue, a naive model, the stream of fills and the replicas


def _journal(world: World) -> list[str]:
    wrong: list[str] = []
    entries = [parse_entry([entry_id, flat]) for entry_id, flat in world.server.venue.written]
    offline = Replica()
    try:
        for entry in entries:
            offline.apply(entry)
    except JournalBroken as error:
        return [f"I3: {error}"]
    if _tip(world) != offline.tip:
        wrong.append(f"I3: the cursor is {_tip(world)}, the journal ends at {offline.tip}")
    events = [event for entry in entries for event in entry.events]
    wrong += _outcomes(world, events, offline.seq)
    wrong += _accounts(events, offline)
    wrong += _fills(world, events)
    for one in world.instances:
        if one.runs and one.node is not None:
            replica = one.node.replica
            if replica.tip != offline.tip:
                wrong.append(f"I8: {one.name} is at {replica.tip}, the journal at {offline.tip}")
            elif replica.exchange.state_hash() != offline.exchange.state_hash():
                wrong.append(f"I8: the state of {one.name} is not the journal's")
    wrong += _stream_is_the_end_of(world, entries)
    return wrong


def _outcomes(world: World, events: list[Event], seq: int) -> Iterator[str]:
    """I1, I2 and I4: each command that was queued, once, in that order, with the right outcome."""
    asked = world.server.venue.asked
    if seq > len(asked):
        yield f"I2: {seq} commands were committed, {len(asked)} queued"
        return
    naive = NaiveExchange([Market(DEFAULT_MARKET)])
    expected = [event for element in asked[:seq] for event in naive.apply(decode_command(element))]
    if encode_events(expected) == encode_events(events):
        return
    for mine, theirs in zip(expected, events, strict=False):
        if mine != theirs:
            yield f"I2/I4: the journal has {theirs}, the queue had {mine}"
            return
    yield f"I2/I4: the journal has {len(events)} events, not {len(expected)}"


def _accounts(events: list[Event], offline: Replica) -> Iterator[str]:
    """I6 and I7, from the events and the state that they lead to."""
    ledger = Ledger()
    by_seq: dict[int, list[Event]] = {}
    for event in events:
        by_seq.setdefault(event.seq, []).append(event)
    for one in by_seq.values():
        ledger.read(one)
    try:
        ledger.check_conserved(offline.exchange)
        check_books(offline.exchange)
    except AssertionError as error:
        yield f"I6/I7: {error}"
    held = Counter[str]()
    for _, market, position in offline.exchange.positions.items():
        held[market] += position.qty
    if any(held.values()):
        yield f"I7: positions don't sum to zero: {held}"


def _fills(world: World, events: list[Event]) -> Iterator[str]:
    """I5, and that each was told once."""
    expected = [
        (event.trade_id.encode(), msgspec.json.encode(fill_message(event)))
        for event in events
        if isinstance(event, TradeExecuted)
    ]
    stream = world.server.venue.stream(world.keys.fills_stream.encode())
    found = (
        [(b"%d-%d" % one, flat[1]) for one, flat in zip(stream.ids, stream.fields, strict=True)]
        if stream is not None
        else []
    )
    # Its beginning may have been trimmed, as far as that of the journal was.
    gone = max(0, len(expected) - len(found))
    if found != expected[gone:]:
        yield f"I5: the stream has {[one for one, _ in found]}, not {[one for one, _ in expected]}"
    log = world.server.venue.stream(world.keys.log.encode())
    first = parse_entry([b"%d-%d" % log.ids[0], log.fields[0]]).first_seq if log and log.ids else 1
    if any(int(one.partition(b"-")[0]) >= first for one, _ in expected[:gone]):
        yield f"I5: {gone} fills were trimmed, the journal begins at {first}"
    told = world.server.record.told
    if not world.server.record.rewinds and told != [fill for _, fill in expected]:
        yield f"I5: {len(told)} fills were told of {len(expected)}"


def _stream_is_the_end_of(world: World, entries: list[Entry]) -> Iterator[str]:
    """What is left of the journal after trimming is its end."""
    stream = world.server.venue.stream(world.keys.log.encode())
    kept = [one for one, _ in stream.ids] if stream is not None else []
    if kept != [entry.seq for entry in entries][len(entries) - len(kept) :]:
        yield f"I3: the journal's stream is {kept}"


# I1: what clients were told


def _clients(world: World) -> Iterator[str]:
    venue, record = world.server.venue, world.server.record
    there = _orders(venue.asked)
    undone = _orders(record.wiped)
    for asked in world.book.asked.values():
        if isinstance(asked.command, NewOrder):
            yield from _client(asked, there.get(asked.token, []), undone.get(asked.token, []))
    through_submit = [
        order_id
        for token, ids in there.items()
        for order_id in ids
        if token in world.book.asked and not world.book.asked[token].foreign
    ]
    if through_submit != sorted(through_submit):
        yield f"I2: ids are not in the order of the queue: {through_submit}"


def _client(asked: Asked, there: list[int], undone: list[int]) -> Iterator[str]:
    name = f"order {asked.token}"
    if len(there) > 1:
        yield f"I1: {name} is there {len(there)} times: {there}"
    for order_id in asked.ids:
        if order_id not in there and order_id not in undone:
            yield f"I1: {name} was acknowledged as {order_id} and is lost: {there} are there"
    if asked.ids and there and asked.ids[-1] not in (*there, *undone):
        yield f"I1: {name} was acknowledged as {asked.ids[-1]} and is {there}"
    if there and not asked.sent:
        yield f"I1: {name} was never sent, but is there"


def _ids(world: World) -> Iterator[str]:
    """No id was handed out twice, whatever became of the orders.

    But for this: just after a rewind nobody may have looked yet who knows which ids were in use,
    and a second one may undo the first leap over them, so that it is taken again.
    """
    venue, record = world.server.venue, world.server.record
    tokens: dict[int, int] = {}
    for found in (_orders(record.wiped), _orders(venue.asked)):
        for token, ids in found.items():
            for order_id in ids:
                other = tokens.setdefault(order_id, token)
                leapt = order_id > ID_MARGIN and record.rewinds > 1
                if other != token and order_id not in venue.risky and not leapt:
                    yield f"id {order_id} was given to orders {other} and {token}"


def _orders(elements: Iterable[bytes]) -> dict[int, list[int]]:
    """The ids of the orders among queue elements, by timestamp, in queue order."""
    found: dict[int, list[int]] = {}
    for element in elements:
        command = decode_command(element)
        if isinstance(command, NewOrder):
            found.setdefault(command.timestamp, []).append(command.order_id)
    return found


def _tip(world: World) -> Tip:
    cursor = world.server.venue.hash(world.keys.cursor.encode())
    return Tip(int(cursor.get(b"seq", b"0")), cursor.get(b"chain", b"").decode())


def _blobs(world: World) -> Iterator[bytes]:
    return (flat[7] for _, flat in world.server.venue.written)
