"""The venue in process: a queue, a leader that takes turns, and a journal."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
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
from sim.virtual.agenda import LAST_SEAT, SEAT_BITS, Agenda
from sim.virtual.seat import Seat

MAX_BATCH = 512
"""Most commands in one commit, as a real leader takes."""

COMMIT_NS = 500_000
"""From a leader's taking commands to everybody's seeing what came of them, and..."""

COMMAND_NS = 10_000
"""...for each command on top."""

EXPIRY_CHECK_NS = 50_000_000
ASK_AGAIN_NS = 1_000_000_000

WRITTEN_TOGETHER = 32
"""Most commits that wait to be recorded: many at once cost less than each of them alone."""

HASH_EVERY = 1000
"""Fewest commands between two state hashes."""

HASH_SHARE = 100
"""There are so many commands between two hashes for each order and position that is hashed."""

_EVENT = b"event"
_NONE: list[Action] = []
"""What a seat has on its way whose commands have arrived."""

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
        agenda.arrive = self._arrive
        self.seats: list[Seat] = []
        """The agents' places, by their numbers."""
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
        self._unwritten: list[tuple[int, int, bytes]] = []
        """Sequence number, epoch and events of the commits that `write_out` has not seen."""
        self._trades: list[TradeExecuted] = []
        """Their trades."""
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

    def submit(self, commands: list[Action], sent_at: int) -> None:
        """Commands that nobody waits for, sent together at that time, arrive."""
        if self._queue_up(commands, sent_at) and not self._taken:
            self._begin()

    def _arrive(self, until: int) -> None:
        """What arrives before this turn is queued, in the order in which it arrives, and a leader
        that is free takes it; each seat gets its turn once its commands are answered, or now where
        there was no room for them.
        """
        arrivals = self._agenda.arrivals
        seats, answers, queue_up = self.seats, self._answers, self._queue_up
        while arrivals and arrivals[0] < until:
            seat = seats[heappop(arrivals) & LAST_SEAT]
            # Kept until it acts again, they would be far from any cache when they go.
            sent, seat.sent = seat.sent, _NONE
            if queue_up(sent, seat.sent_at):
                answers.append((self._queued, seat))
            else:
                self._agenda.turn(seat.ready, seat)
        if not self._taken:
            self._begin()

    def _queue_up(self, commands: list[Action], sent_at: int) -> bool:
        """Whether there was room for them."""
        queue = self._queue
        if len(queue) + len(commands) > QUEUE_LIMIT:
            self.record.overloaded += len(commands)
            return False
        for command in commands:
            if type(command) is NewOrder:
                if command.order_id:
                    # Sent once more: the first one may rest, and its message must stay what it is.
                    command = msgspec.structs.replace(command)
                order_id = self._order_id = self._order_id + 1
                force_setattr(command, "order_id", order_id)
            force_setattr(command, "timestamp", sent_at)
            queue.append(command)
        self._queued += len(commands)
        return True

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
        self._arrive(self._agenda.now << SEAT_BITS)

    def _write(self, events: list[Event]) -> None:
        """These are in the journal, as far as anybody in the run can tell."""
        tapes, trades = self.tapes, self._trades
        for event in events:
            if type(event) is TradeExecuted:
                tapes[event.market].record(event)
                trades.append(event)
        self._written = self.epoch
        seq = self.exchange.seq
        unwritten = self._unwritten
        unwritten.append((seq, self.epoch, encode_events(events)))
        if seq >= self._hash_after:
            self._hash()
        elif len(unwritten) >= WRITTEN_TOGETHER:
            self.write_out()

    def write_out(self) -> None:
        """The commits since the last time go to the recording."""
        if not self._unwritten:
            return
        chain = self._chain
        entries: list[StreamEntry] = []
        for seq, epoch, blob in self._unwritten:
            chain = chained(chain, blob)
            fields = [b"v", VERSION, b"e", b"%d" % epoch, b"c", chain.encode(), b"b", blob]
            entries.append(StreamEntry(b"%d-0" % seq, fields))
        self._unwritten.clear()
        self._chain = chain
        self._writer.entries(entries)
        fills: list[StreamEntry] = []
        for trade in self._trades:
            fill = fill_message(trade)
            fills.append(StreamEntry(fill.trade_id.encode(), [_EVENT, _encode(fill)]))
        if fills:
            self._trades.clear()
            self._last_fill = fills[-1].id
            self._writer.fills(fills)

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
        self.write_out()
        exchange, epoch = self.exchange, self.epoch
        found = PublishedHash(
            self.leader, "leading", epoch, exchange.seq, exchange.state_hash(), self._chain
        )
        self._writer.hash(found)
        size = len(exchange.orders) + len(exchange.positions.holders())
        self._hash_after = exchange.seq + max(HASH_EVERY, HASH_SHARE * size)
