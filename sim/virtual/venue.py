"""The venue in process: a queue, a leader that takes turns, and a journal."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from heapq import heappush
from operator import itemgetter

import msgspec
from msgspec.structs import force_setattr

from matchbox_tui.engine import (
    CreateMarket,
    Event,
    Exchange,
    ExpireOrders,
    Market,
    NewOrder,
    TradeExecuted,
    encode_events,
)
from matchbox_tui.store import QUEUE_LIMIT, chained, fill_message
from matchbox_tui.store.journal import VERSION
from sim.agents import Action, Tape
from sim.floor import FloorRecord
from sim.recording import Moment, PublishedHash, StreamEntry
from sim.recording.run_writer import RunWriter
from sim.virtual.agenda import SEAT_BITS, Agenda
from sim.virtual.seat import Seat

MAX_BATCH = 512
"""Most commands in one commit, as a real leader takes."""

COMMIT_NS = 500_000
"""From a leader's taking commands to everybody's seeing what came of them, and..."""

COMMAND_NS = 10_000
"""...for each command on top."""

EXPIRY_CHECK_NS = 50_000_000
ASK_AGAIN_NS = 1_000_000_000

HASH_EVERY = 1000
"""Fewest commands between two state hashes."""

HASH_SHARE = 100
"""There are so many commands between two hashes for each order and position that is hashed."""

_EVENT = b"event"
_encode = msgspec.json.Encoder().encode


class Venue:
    """The exchange, the commands that wait for it, and who leads. It begins with nobody leading.

    What waits when nobody leads stays where it is. `hear` is called after the next commit, once.
    """

    def __init__(self, agenda: Agenda, writer: RunWriter) -> None:
        self.exchange = Exchange()
        self.record = FloorRecord()
        """What the traders were told; whole once the venue is finished."""
        self.leader = ""
        self.epoch = 0
        self.hear: Callable[[], None] | None = None
        self.tapes = {symbol: Tape() for symbol in self.exchange.books}
        self._agenda = agenda
        agenda.commit = self._commit
        self._writer = writer
        self._queue: list[Action] = []
        self._answers: list[tuple[int, Seat]] = []
        """Who waits, and how many commands must have been committed by then."""
        self._taken = 0
        self._queued = 0
        self._no_traders = 0
        """Of those that were queued."""
        self._committed = 0
        self._order_id = 0
        self._chain = ""
        self._written = 0
        """The epoch of the last commit."""
        self._last_fill = b""
        self._hash_after = HASH_EVERY
        self._asked = 0

    @property
    def waiting(self) -> int:
        """Commands in the queue, those of the commit under way among them."""
        return len(self._queue)

    @property
    def committing(self) -> bool:
        """Whether a leader has taken commands that are not in the journal yet."""
        return self._taken > 0

    @property
    def seq(self) -> int:
        """Commands in the journal."""
        return self.exchange.seq

    def lead(self, name: str) -> None:
        """The next epoch begins, of the instance of this name."""
        self.leader = name
        self.epoch += 1
        self._asked = 0
        self._begin()

    def fall(self) -> None:
        """Nobody leads; a commit under way is none, and what it took is in the queue as before."""
        self.leader = ""
        self._taken = 0
        self._agenda.drop_commit()

    def open(self, markets: Sequence[Market]) -> None:
        """The first leader's first commit: the markets that are not there. Takes no time."""
        wanted = [one for one in markets if one.symbol not in self.exchange.books]
        for market in wanted:
            self.ask(CreateMarket(market, self._agenda.instant))
            self.tapes[market.symbol] = Tape()
        if wanted:
            # Instead of the one that the first of them began.
            self._agenda.drop_commit()
            self._taken = len(wanted)
            self._commit()

    def ask(self, command: Action) -> None:
        """A command that is no trader's arrives."""
        self._queue.append(command)
        self._queued += 1
        self._no_traders += 1
        if not self._taken:
            self._begin()

    def submit(self, commands: list[Action], sent_at: int, seat: Seat | None = None) -> None:
        """Commands of one trader, sent together at that time, arrive. `seat` gets its turn once
        they are answered.
        """
        queue = self._queue
        if len(queue) + len(commands) > QUEUE_LIMIT:
            self.record.overloaded += len(commands)
            if seat is not None:
                self._agenda.turn(seat.ready, seat)
            return
        for command in commands:
            if type(command) is NewOrder:
                if command.order_id:
                    # Sent once more: the first one may rest, and its message must stay what it is.
                    command = msgspec.structs.replace(command)
                order_id = self._order_id = self._order_id + 1
                force_setattr(command, "order_id", order_id)
            force_setattr(command, "timestamp", sent_at)
            queue.append(command)
        queued = self._queued = self._queued + len(commands)
        if seat is not None:
            self._answers.append((queued, seat))
        if not self._taken:
            self._begin()

    def watch_expiries(self) -> None:
        """Asks for an expiry when a GTD order is due, as leaders do every now and then."""
        due, now = self.exchange.next_expiry, self._agenda.instant
        if due is None or due > now:
            self._asked = 0
        elif self.leader and now - self._asked > ASK_AGAIN_NS:
            self._asked = now
            self.ask(ExpireOrders(now))

    def finish(self) -> Moment:
        """How it stands at the end, with its hash published and the record complete."""
        record = self.record
        record.acknowledged = self._queued - self._no_traders
        record.commands = record.acknowledged + record.overloaded
        if self._order_id:
            record.order_ids = [[1, self._order_id]]
        seq = self.exchange.seq
        if seq:
            self._hash()
        return Moment(
            cursor=(seq, self._chain, self._written),
            last_entry=f"{seq}-0" if seq else "",
            last_fill=self._last_fill.decode(),
            counter=self._order_id,
            waiting=len(self._queue),
            leader=self.leader or None,
        )

    def _begin(self) -> None:
        """The leader takes what is there, if it is free."""
        count = len(self._queue)
        if not count or not self.leader:
            return
        self._taken = count = min(count, MAX_BATCH)
        self._agenda.begin_commit(COMMIT_NS + count * COMMAND_NS)

    def _commit(self) -> None:
        """What was taken is in the journal."""
        count, queue = self._taken, self._queue
        apply = self.exchange.apply
        events: list[Event] = []
        if count == len(queue):
            for command in queue:
                events += apply(command)
            queue.clear()
        else:
            for command in queue[:count]:
                events += apply(command)
            del queue[:count]
        self._taken = 0
        self._committed += count
        self._write(events)
        self._answer()
        if self.hear is not None:
            hear, self.hear = self.hear, None
            hear()
        self._begin()

    def _write(self, events: list[Event]) -> None:
        blob = encode_events(events)
        chain = self._chain = chained(self._chain, blob)
        self._written = epoch = self.epoch
        seq = self.exchange.seq
        writer = self._writer
        writer.entry(
            StreamEntry(
                b"%d-0" % seq,
                [b"v", VERSION, b"e", b"%d" % epoch, b"c", chain.encode(), b"b", blob],
            )
        )
        trades = [event for event in events if type(event) is TradeExecuted]
        if trades:
            tapes = self.tapes
            fills = []
            for trade in trades:
                tapes[trade.market].record(trade)
                fill = fill_message(trade)
                fills.append(StreamEntry(fill.trade_id.encode(), [_EVENT, _encode(fill)]))
            self._last_fill = fills[-1].id
            writer.fills(fills)
        if seq >= self._hash_after:
            self._hash()

    def _answer(self) -> None:
        """Everybody whose commands were all answered gets their turn again."""
        answers = self._answers
        if self._queue:
            committed = bisect_right(answers, self._committed, key=itemgetter(0))
            answered, self._answers = answers[:committed], answers[committed:]
        else:
            answered, self._answers = answers, []
        now, turns = self._agenda.now, self._agenda.turns
        for _, seat in answered:
            ready = seat.ready
            heappush(turns, (ready if ready > now else now) << SEAT_BITS | seat.number)

    def _hash(self) -> None:
        exchange, epoch = self.exchange, self.epoch
        found = PublishedHash(
            self.leader, "leading", epoch, exchange.seq, exchange.state_hash(), self._chain
        )
        self._writer.hash(found)
        size = len(exchange.orders) + len(exchange.positions.holders())
        self._hash_after = exchange.seq + max(HASH_EVERY, HASH_SHARE * size)
