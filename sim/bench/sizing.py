"""What becomes of the engine when its book grows: its rate, its memory, its pauses."""

import gc
import random
import time
import tracemalloc
from collections.abc import Iterator
from itertools import islice

from matchbox_tui.engine import CancelOrder, Exchange, Market, NewOrder, Side, TimeInForce
from matchbox_tui.store import Sparing
from sim.bench.commands import Asked
from sim.bench.jobs import GrowJob, Grown, LevelJob, Rated, SizeJob, Weighed, WeighJob

TICKS = 99
MIDDLE = 50
COMMIT = 256
"""Orders that a leader commits at once, and after which it looks after the collector."""

SLICE = 1000
"""Commands in one book before it is the next one's turn."""


class Sizing:
    """Books that stay from one round to the next, because to fill them takes long."""

    def __init__(self) -> None:
        self._books: dict[int, SteadyBook] = {}
        self._levels: dict[int, DeepLevel] = {}

    def work(self, job: SizeJob | LevelJob | GrowJob | WeighJob) -> Rated | Grown | Weighed:
        match job:
            case SizeJob():
                return self._rates(job)
            case LevelJob():
                return self._takers(job)
            case GrowJob():
                return grow(job)
            case WeighJob():
                return weigh(job)

    def _rates(self, job: SizeJob) -> Rated:
        for size in job.sizes:
            if size not in self._books:
                self._books[size] = SteadyBook(size)
        gc.freeze()
        spent = dict.fromkeys(job.sizes, 0)
        slices = max(1, job.commands // SLICE)
        for number in range(slices):
            for size in job.sizes if number % 2 else reversed(job.sizes):
                spent[size] += self._books[size].turn_over(SLICE)
        return Rated([slices * SLICE / spent[size] * 1e9 for size in job.sizes])

    def _takers(self, job: LevelJob) -> Rated:
        for size in job.sizes:
            if size not in self._levels:
                self._levels[size] = DeepLevel(size)
        gc.freeze()
        spent = dict.fromkeys(job.sizes, 0)
        some = min(SLICE, job.takers, min(job.sizes) // 2)
        slices = max(1, job.takers // some)
        for number in range(slices):
            for size in job.sizes if number % 2 else reversed(job.sizes):
                spent[size] += self._levels[size].take(some)
        return Rated([slices * some / spent[size] * 1e9 for size in job.sizes])


class SteadyBook:
    """A book of `size` orders of one lot, as many of which come as go."""

    def __init__(self, size: int) -> None:
        self._exchange = Exchange([Market("MAIN", max_price=TICKS)])
        self._random = random.Random(size)
        self._orders = resting_orders(self._random)
        self._pool: list[int] = []
        self._coming: list[int] = []
        for order in islice(self._orders, size):
            self._exchange.apply(order)
            self._pool.append(order.order_id)
        self._takers = 0

    def turn_over(self, count: int) -> int:
        """Half of the commands rest an order, a quarter cancel one, a quarter take one; in ns."""
        commands: list[Asked] = []
        while len(commands) < count:
            commands += (self._new(), self._cancel(), self._new(), self._take())
        apply = self._exchange.apply
        began = time.thread_time_ns()
        for command in commands:
            apply(command)
        spent = time.thread_time_ns() - began
        self._pool += self._coming
        self._coming.clear()
        return spent

    def _new(self) -> NewOrder:
        order = next(self._orders)
        self._coming.append(order.order_id)
        return order

    def _cancel(self) -> CancelOrder:
        pool, orders = self._pool, self._exchange.orders
        while True:
            place = self._random.randrange(len(pool))
            pool[place], pool[-1] = pool[-1], pool[place]
            order_id = pool.pop()
            if order_id in orders:
                return CancelOrder(order_id)

    def _take(self) -> NewOrder:
        self._takers += 1
        side = Side.BUY if self._takers % 2 else Side.SELL
        return taker(side, TICKS if side is Side.BUY else 1)


class DeepLevel:
    """One price with `size` orders of one lot."""

    def __init__(self, size: int) -> None:
        self._exchange = Exchange([Market("MAIN", max_price=TICKS)])
        self._made = 0
        self._add(size)

    def take(self, count: int) -> int:
        """So many takers, in ns; as many orders come again, which is not timed."""
        takers = [taker(Side.SELL, MIDDLE) for _ in range(count)]
        apply = self._exchange.apply
        began = time.thread_time_ns()
        for order in takers:
            apply(order)
        spent = time.thread_time_ns() - began
        self._add(count)
        return spent

    def _add(self, count: int) -> None:
        for _ in range(count):
            self._made += 1
            self._exchange.apply(NewOrder(order_id=self._made, side=Side.BUY, price=MIDDLE, qty=1))


def grow(job: GrowJob) -> Grown:
    """Grows a book as a leader does, and once more with a collector that nobody looks after."""
    rate, longest = _grow(job.orders, Sparing())
    gc.unfreeze()
    gc.collect()
    _, untended = _grow(job.orders, None)
    return Grown(rate, longest, untended)


def _grow(count: int, sparing: Sparing | None) -> tuple[float, float]:
    """(orders a second, longest ms of one of them and what a leader does after it)

    From one order to the next, leaving nothing out: the collector begins with any allocation.
    """
    exchange = Exchange([Market("MAIN", max_price=TICKS)])
    apply, now = exchange.apply, time.thread_time_ns
    orders = resting_orders(random.Random(count))
    longest = 0
    began = before = now()
    for number in range(1, count + 1):
        apply(next(orders))
        if sparing is not None and number % COMMIT == 0:
            sparing.look(len(exchange.orders))
        after = now()
        longest = max(longest, after - before)
        before = after
    return count / (before - began) * 1e9, longest / 1e6


def weigh(job: WeighJob) -> Weighed:
    """What is allocated while the messages, which are there already, come to rest."""
    orders = list(islice(resting_orders(random.Random(job.orders), job.traders), job.orders))
    exchange = Exchange([Market("MAIN", max_price=TICKS)])
    gc.collect()
    tracemalloc.start()
    for order in orders:
        exchange.apply(order)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Weighed(held / len(orders))


def resting_orders(rng: random.Random, traders: int = 0) -> Iterator[NewOrder]:
    """Orders of one lot that never meet: bids below the middle, asks above it."""
    order_id = 0
    while True:
        order_id += 1
        side = Side.BUY if order_id % 2 else Side.SELL
        away = rng.randint(1, MIDDLE - 1)
        yield NewOrder(
            order_id=order_id,
            side=side,
            price=MIDDLE - away if side is Side.BUY else MIDDLE + away,
            qty=1,
            trader=f"t{order_id % traders}" if traders else "",
        )


def taker(side: Side, price: int) -> NewOrder:
    """An order of one lot that trades at once or never."""
    return NewOrder(
        order_id=2**53 - 1, side=side, price=price, qty=1, time_in_force=TimeInForce.IOC
    )
