"""Evidence of a venue, made without a server, to be altered before it is written down."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    Command,
    CreateMarket,
    Event,
    Exchange,
    ExpireOrders,
    HaltMarket,
    Malformed,
    Market,
    NewOrder,
    ReplaceOrder,
    ResumeMarket,
    Side,
    TimeInForce,
    TradeExecuted,
    decode_events,
    dump_parts,
    encode_command,
    encode_events,
)
from matchbox_tui.engine.commands import Tagged
from matchbox_tui.store import chained, fill_message
from sim.audit import Verdict, audit_recording
from sim.floor import FloorRecord
from sim.recording import (
    AFTER,
    BASE,
    FILLS,
    HASHES,
    JOURNAL,
    QUEUE,
    RECORD,
    Manifest,
    Moment,
    Place,
    PublishedHash,
    Recorder,
    RunFacts,
    StreamEntry,
)
from sim.recording.run import RUN

EVERYTHING = ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8"]


class Story:
    """What a venue did, commit by commit. Everything in it may be altered by hand.

    With `base` it begins after a snapshot of that exchange.
    """

    def __init__(self, base: Exchange | None = None, base_chain: str = "") -> None:
        self.exchange = base if base is not None else Exchange()
        self.base_parts = list(dump_parts(self.exchange)) if base is not None else []
        self.place = Place(self.exchange.seq, base_chain if base is not None else "", 1, 0)
        self.epoch = 1
        self.entries: list[StreamEntry] = []
        self.after: list[StreamEntry] = []
        self.fills: list[StreamEntry] = []
        self.hashes: list[PublishedHash] = []
        self.queue: list[bytes] = []
        self.counter = 0
        self.record: FloorRecord | None = None
        self.simulated: RunFacts | None = None
        self.moment: dict[str, Any] = {"leader": "a"}
        self._ids = itertools.count(1)
        self._chain = self.place.chain

    # What happens

    def order(self, side: Side, price: int, qty: int, **more: Any) -> NewOrder:
        """A new order under the next id, as SUBMIT would hand it out."""
        self.counter = next(self._ids)
        return NewOrder(order_id=self.counter, side=side, price=price, qty=qty, **more)

    def buy(self, price: int = 50, qty: int = 10, **more: Any) -> NewOrder:
        return self.order(Side.BUY, price, qty, **more)

    def sell(self, price: int = 50, qty: int = 10, **more: Any) -> NewOrder:
        return self.order(Side.SELL, price, qty, **more)

    def commit(self, *commands: Command) -> list[Event]:
        """The commands, matched and committed together; their fills are published."""
        events = [event for command in commands for event in self.exchange.apply(command)]
        self.append(events)
        self.publish(events)
        return events

    def append(self, events: list[Event]) -> None:
        """A journal entry with these events."""
        entry = self._entry(events, self._chain)
        self._chain = chain_of(entry)
        self.entries.append(entry)

    def answer(self, *commands: Command) -> None:
        """A commit after the moment of the audit."""
        events = [event for command in commands for event in self.exchange.apply(command)]
        self.after.append(self._entry(events, self._chain))

    def _entry(self, events: list[Event], chain: str) -> StreamEntry:
        blob = encode_events(events)
        fields = (b"v", b"1", b"e", b"%d" % self.epoch, b"c", chained(chain, blob).encode())
        return StreamEntry(b"%d-0" % events[-1].seq, [*fields, b"b", blob])

    def publish(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, TradeExecuted):
                fill = msgspec.json.encode(fill_message(event))
                self.fills.append(StreamEntry(event.trade_id.encode(), [b"event", fill]))

    def hash(self, who: str = "b", role: str = "follower") -> None:
        """An instance publishes the state's hash."""
        state = self.exchange.state_hash()
        self.hashes.append(PublishedHash(who, role, self.epoch, self.exchange.seq, state))

    def snapshot(self) -> None:
        """Somebody takes a snapshot."""
        seq, state = self.exchange.seq, self.exchange.state_hash()
        self.hashes.append(PublishedHash(str(seq), "snapshot", self.epoch, seq, state, self._chain))

    def wait(self, *commands: NewOrder | Tagged) -> None:
        """Commands that nobody has answered yet."""
        self.queue += [encode_command(command) for command in commands]

    def acknowledged(self, *ranges: list[int]) -> None:
        told = [*ranges] if ranges else [[1, self.counter]]
        self.record = FloorRecord(order_ids=told)

    # What is altered

    def alter(self, number: int, change: Callable[[list[Event]], list[Event]]) -> None:
        """Changes the events of an entry, and of it only."""
        entry = self.entries[number]
        events = change(decode_events(field(entry, b"b")))
        self.entries[number] = with_field(entry, b"b", encode_events(events))

    def rechain(self) -> None:
        """Makes the chain fit again, as somebody who knows how it is built would."""
        chain = self.place.chain
        for number, entry in enumerate(self.entries):
            chain = chained(chain, field(entry, b"b"))
            self.entries[number] = with_field(entry, b"c", chain.encode())
        self._chain = chain

    # What comes of it

    def write(self, directory: Path) -> Path:
        recorder = Recorder(directory)
        with recorder.frames(BASE) as file:
            for part in self.base_parts:
                file.part(part)
        for name, entries in ((JOURNAL, self.entries), (AFTER, self.after), (FILLS, self.fills)):
            with recorder.frames(name) as file:
                for entry in entries:
                    file.value(entry)
        with recorder.frames(QUEUE) as file:
            for element in self.queue:
                file.raw(element)
        with recorder.frames(HASHES) as file:
            for one in self.hashes:
                file.value(one)
        if self.record is not None:
            recorder.json(RECORD, self.record)
        if self.simulated is not None:
            recorder.json(RUN, self.simulated)
        recorder.finish(Manifest(base=self.place, moment=self.last_moment()))
        return directory

    def audit(self, directory: Path) -> Verdict:
        return asyncio.run(audit_recording(self.write(directory / "run")))

    def last_moment(self) -> Moment:
        """What the server says at the end."""
        last = self.entries[-1] if self.entries else None
        tip = (self.place.seq, self.place.chain, self.place.epoch)
        if last is not None:
            tip = (int(last.id.partition(b"-")[0]), chain_of(last), int(field(last, b"e")))
        facts = {
            "cursor": tip,
            "last_entry": last.id.decode() if last is not None else "",
            "last_fill": self.fills[-1].id.decode() if self.fills else "",
            "counter": self.counter,
            "waiting": len(self.queue),
        }
        return Moment(**(facts | self.moment))


def story() -> Story:
    """Every kind of command, in commits of one to three; a record of what was acknowledged."""
    told = Story()
    told.commit(CreateMarket(Market.prediction("RAIN"), 1))
    told.commit(told.sell(52, 10, trader="ann"), told.sell(53, 5, trader="bob"))
    told.commit(told.buy(52, 4, trader="cy"))
    told.hash("a", "leading")
    told.hash("b", "follower")
    told.commit(told.buy(50, 7, trader="cy"), told.buy(0), told.buy(48, 3, trader="cy"))
    told.commit(ReplaceOrder(order_id=4, qty=9), ReplaceOrder(order_id=99, price=1))
    told.commit(CancelOrder(4), CancelOrder(4), CancelAll("cy"), CancelAll("nobody"))
    told.commit(told.buy(60, 30, time_in_force=TimeInForce.IOC, trader="dee"))
    told.epoch = 2
    told.commit(HaltMarket("RAIN"), ResumeMarket("RAIN"), HaltMarket("SNOW"))
    told.commit(told.sell(90, 2, market="RAIN", time_in_force=TimeInForce.GTD, expires_at=9))
    told.commit(ExpireOrders(8), ExpireOrders(9), Malformed("{"))
    told.snapshot()
    told.commit(told.buy(40, 10), told.buy(41, 10))
    told.commit(told.sell(41, 4))
    told.hash("b", "follower")
    told.wait(told.buy(39, 1), CancelOrder(1))
    told.acknowledged()
    return told


def field(entry: StreamEntry, name: bytes) -> bytes:
    return entry.flat[entry.flat.index(name) + 1]


def chain_of(entry: StreamEntry) -> str:
    return field(entry, b"c").decode()


def with_field(entry: StreamEntry, name: bytes, value: bytes) -> StreamEntry:
    flat = list(entry.flat)
    flat[flat.index(name) + 1] = value
    return StreamEntry(entry.id, flat)


def failing(verdict: Verdict) -> list[str]:
    """The invariants that fail; all eight are there."""
    assert [check.name for check in verdict.checks] == EVERYTHING
    names = [check.name for check in verdict.checks if not check.ok]
    assert verdict.ok is not bool(names)
    return names


def place(verdict: Verdict, name: str) -> str:
    """Where an invariant fails first."""
    offence = verdict.check(name).offence
    assert offence is not None
    return offence.place
