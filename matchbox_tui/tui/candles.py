"""Prices and volume over time: trades folded into candles of one second, ten, and a minute."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

SECOND_NS = 1_000_000_000

KEPT = 400
"""Candles kept of each span: more than the widest screen shows."""

LATE_NS = 60 * SECOND_NS
"""So much later than others the clock of an order's sender may well be."""

PATIENCE = 20
"""So many trades in a row that are older still, and time itself was set back."""


class Span(Enum):
    """How much time one candle covers, in seconds."""

    SECOND = 1
    TEN = 10
    MINUTE = 60

    @property
    def words(self) -> str:
        return "1 m" if self is Span.MINUTE else f"{self.value} s"

    @property
    def next(self) -> "Span":
        spans = list(Span)
        return spans[(spans.index(self) + 1) % len(spans)]


@dataclass(frozen=True)
class Candle:
    """What traded within one span; `slot` counts spans since the epoch. A quiet one has no qty."""

    slot: int
    open: int
    high: int
    low: int
    close: int
    qty: int = 0


class _Growing:
    """The candle that trades still change."""

    __slots__ = ("close", "high", "low", "open", "qty", "slot")

    def __init__(self, slot: int, price: int) -> None:
        self.slot = slot
        self.open = self.high = self.low = self.close = price
        self.qty = 0

    def take(self, high: int, low: int, close: int, qty: int) -> None:
        if high > self.high:
            self.high = high
        if low < self.low:
            self.low = low
        self.close = close
        self.qty += qty

    def done(self) -> Candle:
        return Candle(self.slot, self.open, self.high, self.low, self.close, self.qty)


class Candles:
    """One market's candles. Times are the orders' own, so that history reads as it was lived.

    Anybody may put any time on an order: one that is older than the newest counts with the newest.
    The finest span alone is moved by each trade; longer ones take its candles as they are done.
    """

    def __init__(self) -> None:
        self._growing: _Growing | None = None
        self._done: dict[Span, deque[Candle]] = {span: deque(maxlen=KEPT) for span in Span}
        self._ends_ns = 0
        self._late_ns = 0
        self._old = 0
        self.revision = 0

    def traded(self, time: int, price: int, qty: int) -> None:
        """Takes a trade at a time in ns. O(1)."""
        growing = self._growing
        if growing is None or not self._late_ns <= time < self._ends_ns:
            growing = self._candle(time, price)
        growing.take(price, price, price, qty)
        self.revision += 1

    def shown(self, span: Span, count: int, older: Sequence[Candle] = ()) -> Sequence[Candle]:
        """The newest `count` candles, oldest first, with quiet ones where nothing traded.

        Before its own come `older` ones, oldest first; where its first one began earlier than the
        trades that it was made of, the whole one is taken. O(count + older).
        """
        backwards = self._backwards(span, older)
        newest = next(backwards, None)
        if newest is None or count < 1:
            return ()
        shown = [newest]
        for candle in backwards:
            after = shown[-1]
            price = candle.close
            quiet = min(after.slot - candle.slot - 1, count - len(shown))
            shown += (
                Candle(after.slot - n, price, price, price, price) for n in range(1, quiet + 1)
            )
            if len(shown) >= count:
                break
            shown.append(candle)
        return shown[::-1]

    def _backwards(self, span: Span, older: Sequence[Candle]) -> Iterator[Candle]:
        """All that is known, newest first."""
        done, newest = self._done[span], self._newest(span)
        if newest is None:
            yield from reversed(older)
            return
        first = done[0].slot if done else newest.slot
        whole = next((candle for candle in older if candle.slot == first), None)
        # The last one done may be the beginning of what is growing, which has been joined to it.
        for candle in (newest, *(one for one in reversed(done) if one.slot != newest.slot)):
            cut = candle.slot == first and whole is not None and whole.qty > candle.qty
            yield whole if cut and whole is not None else candle
        for candle in reversed(older):
            if candle.slot < first:
                yield candle

    def _candle(self, time: int, price: int) -> _Growing:
        """The candle of a trade that is not within the growing one."""
        growing = self._growing
        if growing is not None:
            if time < self._ends_ns:
                self._old += 1
                if self._old < PATIENCE:
                    return growing
                for done in self._done.values():
                    done.clear()
            else:
                self._finish(growing.done())
        self._old = 0
        slot = time // SECOND_NS
        self._ends_ns = (slot + 1) * SECOND_NS
        self._late_ns = slot * SECOND_NS - LATE_NS
        self._growing = _Growing(slot, price)
        return self._growing

    def _finish(self, candle: Candle) -> None:
        for span in Span:
            done = self._done[span]
            slot = candle.slot // span.value
            if done and done[-1].slot == slot:
                done[-1] = _joined(done[-1], candle)
            else:
                done.append(_moved(candle, slot))

    def _newest(self, span: Span) -> Candle | None:
        if self._growing is None:
            return None
        candle = self._growing.done()
        slot = candle.slot // span.value
        done = self._done[span]
        if done and done[-1].slot == slot:
            return _joined(done[-1], candle)
        return _moved(candle, slot)


def _moved(candle: Candle, slot: int) -> Candle:
    return Candle(slot, candle.open, candle.high, candle.low, candle.close, candle.qty)


def _joined(before: Candle, after: Candle) -> Candle:
    return Candle(
        before.slot,
        before.open,
        max(before.high, after.high),
        min(before.low, after.low),
        after.close,
        before.qty + after.qty,
    )
