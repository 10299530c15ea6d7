"""The trading floor: agents on a running venue, through the client that everybody uses."""

import asyncio
import contextlib
import heapq
import itertools
import secrets
import time
from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import force_setattr

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    CancelRejected,
    Exchange,
    NewOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    ReplaceOrder,
    ReplaceRejected,
    TradeExecuted,
)
from matchbox_tui.store import (
    MAX_BATCH,
    Client,
    Entry,
    InDoubt,
    JournalBroken,
    Overloaded,
    Replica,
    StoreError,
    StoreSetBack,
)
from sim.agents import Action, Sight, Tape
from sim.crews import Crew
from sim.floor import FloorRecord
from sim.hiring import Hired

TICK_SECONDS = 0.02
"""Actions that fall due within this time share a submit."""

RETRY_SECONDS = 0.2

ENOUGH = MAX_BATCH // 2
"""Commands after which those who are due as well must wait until these are sent."""

GIVE_UP_NS = 5_000_000_000
"""Whoever has not heard of its commands by then acts again."""

BEHIND_NS = 500_000_000
"""Whoever is later than that has missed turns, which it does not make up for."""


class Seat:
    """An agent's place: what it sees, and when it wants to act again, in ns since the epoch.

    `waits` is the order of whose fate it must hear first, 0 for none; `turn` counts its turns, of
    which only the last is one.
    """

    __slots__ = ("agent", "market", "number", "ready", "sight", "turn", "waits")

    def __init__(self, number: int, hired: Hired) -> None:
        self.number = number
        self.agent = hired.agent
        self.market = hired.market
        self.sight: Sight | None = None
        self.ready = 0
        self.turn = 0
        self.waits = 0

    def look(self, exchange: Exchange, tape: Tape) -> None:
        """From now on at this state; at nothing where its market is not there."""
        there = self.market in exchange.books
        self.sight = Sight(exchange, self.market, self.agent.trader, tape) if there else None


class TradingFloor:
    """The agents of a crew, each acting when it wants to and has heard of what it did before."""

    def __init__(
        self, client: Client, crew: Crew, *, start: int = 0, client_order_ids: bool = False
    ) -> None:
        """Nobody acts before `start`, in ns since the epoch. With `client_order_ids` every order
        has one, which no other run has used.
        """
        self._client = client
        self._crew = crew
        self._start = start
        self._replica = Replica()
        self._tapes: dict[str, Tape] = {}
        self._seats: list[Seat] = []
        self._due: list[tuple[int, int, int]] = []
        self._awaited: dict[int, Seat] = {}
        """Who waits for the outcome of the order of this id, or of a change to it."""
        self._seen_id = 0
        self._record = FloorRecord()
        self._stopping = asyncio.Event()
        self._names = itertools.count(1) if client_order_ids else None
        self._run = secrets.token_hex(4)
        # Nobody's turn is lost or comes twice where somebody sets the clock.
        self._epoch = time.time_ns() - time.monotonic_ns()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> FloorRecord:
        """Trades until `stop`; returns what was acknowledged.

        Outlives leaders and servers. Raises a `StoreError` that trying again can't mend.
        """
        following = asyncio.ensure_future(self._follow())
        trading = asyncio.ensure_future(self._trade())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((following, trading, stopping), return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
            if trading.done():
                trading.result()
            # A submit under way is waited for: what it acknowledges belongs into the record.
            if not trading.done():
                await asyncio.wait((trading,), timeout=2)
        finally:
            following.cancel()
            trading.cancel()
            stopping.cancel()
            await asyncio.gather(following, trading, stopping, return_exceptions=True)
        return self._record

    async def _follow(self) -> None:
        begun_at = None
        while True:
            try:
                if begun_at is None:
                    self._begin(await self._client.restore())
                    begun_at = self._replica.seq
                async for entry in self._client.follow(self._replica):
                    self._hear(entry)
            except StoreSetBack:
                begun_at = None
            except JournalBroken:
                if begun_at is None or self._replica.seq == begun_at:
                    # Not even what was restored can be followed.
                    raise
                # Trimmed while nobody read here.
                begun_at = None
            except StoreError:
                await asyncio.sleep(RETRY_SECONDS)

    def _begin(self, replica: Replica) -> None:
        """Everybody looks at another state from now on, and waits for nothing of the last one."""
        self._replica = replica
        self._seen_id = 0
        self._awaited.clear()
        for seat in self._seats:
            seat.look(replica.exchange, self._tape(seat.market))
            if seat.waits:
                self._turn(seat, seat.ready)

    def _hear(self, entry: Entry) -> None:
        """What was committed; the replica has it already. O(events)."""
        awaited, orders = self._awaited, self._replica.exchange.orders
        for event in entry.events:
            match event:
                case TradeExecuted():
                    self._tape(event.market).record(event)
                    # A cancel on its way to it finds nothing, and may name nothing then.
                    if (maker := event.maker_order_id) in awaited and maker not in orders:
                        self._answer(maker)
                case OrderAccepted() | OrderRejected():
                    self._seen_id = max(self._seen_id, event.order_id)
                    self._answer(event.order_id)
                case OrderCancelled() | OrderExpired() | OrderReplaced():
                    self._answer(event.order_id)
                case CancelRejected() | ReplaceRejected():
                    self._answer(event.order_id)
                case _:
                    pass

    def _answer(self, order_id: int) -> None:
        seat = self._awaited.pop(order_id, None)
        if seat is not None and seat.waits == order_id:
            self._turn(seat, seat.ready)

    async def _trade(self) -> None:
        while True:
            hired = self._crew(self._replica.exchange)
            if hired is not None:
                break
            if self._stopping.is_set():
                return
            await asyncio.sleep(TICK_SECONDS)
        if (left := self._start - self._now()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), left / 1e9)
        self._seat(hired)
        while not self._stopping.is_set():
            now = self._now()
            acted, actions = self._act(now)
            for first in range(0, len(actions), MAX_BATCH):
                await self._submit(actions[first : first + MAX_BATCH], first, acted)
            spent = (self._now() - now) / 1e9
            await asyncio.sleep(max(0.0, TICK_SECONDS - spent) if len(actions) < ENOUGH else 0)

    def _seat(self, hired: Sequence[Hired]) -> None:
        now = max(self._start, self._now())
        for number, one in enumerate(hired):
            seat = Seat(number, one)
            seat.look(self._replica.exchange, self._tape(one.market))
            self._seats.append(seat)
            self._turn(seat, now if one.at_once else now + seat.agent.wait())

    def _tape(self, symbol: str) -> Tape:
        tape = self._tapes.get(symbol)
        if tape is None:
            tape = self._tapes[symbol] = Tape()
        return tape

    def _now(self) -> int:
        return self._epoch + time.monotonic_ns()

    def _turn(self, seat: Seat, at: int) -> None:
        """Its next turn, instead of any other; it waits for nothing. O(log n)."""
        seat.waits = 0
        seat.turn += 1
        heapq.heappush(self._due, (at, seat.number, seat.turn))

    def _act(self, now: int) -> tuple[list[tuple[int, Seat]], list[Action]]:
        """Lets those who are due act: their commands, and who has sent so many of them by then."""
        due = self._due
        acted: list[tuple[int, Seat]] = []
        actions: list[Action] = []
        while due and due[0][0] <= now and len(actions) < ENOUGH:
            at, number, turn = heapq.heappop(due)
            seat = self._seats[number]
            if turn != seat.turn:
                continue
            sent: list[Action] = []
            if seat.sight is not None:
                seat.sight.now = now
                sent = seat.agent.act(seat.sight)
            # A floor that fell behind does not make up for it in one go.
            seat.ready = max(at, now - BEHIND_NS) + max(1, seat.agent.wait())
            if not sent:
                self._turn(seat, seat.ready)
                continue
            actions += [self._stamped(action, now) for action in sent]
            acted.append((len(actions), seat))
        return acted, actions

    async def _submit(
        self, actions: list[Action], first: int, acted: list[tuple[int, Seat]]
    ) -> None:
        """Sends commands, the first of which is the turn's `first`; each seat then waits for the
        outcome of the last one of its own.
        """
        record = self._record
        record.commands += len(actions)
        ids: list[int] = []
        pause = 0.0
        try:
            ids = await self._client.submit(actions)
            record.acknowledge(ids)
        except InDoubt:
            record.doubt(actions)
        except Overloaded:
            record.overloaded += len(actions)
        except StoreError:
            record.unsent += len(actions)
            pause = RETRY_SECONDS
        for end, seat in acted:
            last = end - 1 - first
            if 0 <= last < len(actions):
                self._await(seat, actions[last], ids[last] if ids else 0)
        if pause:
            await asyncio.sleep(pause)

    def _await(self, seat: Seat, action: Action, order_id: int) -> None:
        """Whoever was not told an order's id waits for nothing more than its time."""
        exchange = self._replica.exchange
        match action:
            case NewOrder():
                there = order_id > self._seen_id
            case CancelOrder() | ReplaceOrder():
                order_id = action.order_id
                there = order_id in exchange.orders
            case CancelAll():
                mine = seat.sight.own if seat.sight is not None else []
                order_id = mine[-1].id if mine else 0
                there = bool(mine)
            case _:
                there = False
        if not there or order_id <= 0:
            self._turn(seat, seat.ready)
            return
        self._turn(seat, max(seat.ready, self._now() + GIVE_UP_NS))
        seat.waits = order_id
        self._awaited[order_id] = seat

    def _stamped(self, action: Action, now: int) -> Action:
        """The command with its time, and an order with a name where it is to have one."""
        if self._names is not None and isinstance(action, NewOrder):
            return msgspec.structs.replace(
                action, timestamp=now, client_order_id=_name(self._run, self._names)
            )
        force_setattr(action, "timestamp", now)
        return action


def _name(run: str, numbers: Iterator[int]) -> str:
    return f"{run}-{next(numbers)}"
