"""I5: events_stream tells the fills of the journal."""

from collections.abc import Iterator

import msgspec

from matchbox_tui.engine import Event, TradeExecuted
from matchbox_tui.store import FillMessage, fill_message
from sim.audit.inspection import Inspection, some
from sim.audit.replies import place
from sim.recording import Moment, StreamEntry

_encode = msgspec.json.Encoder().encode


class FillsInspection(Inspection):
    """Walks through the journal's fills and the stream side by side.

    Fills at the end that the stream lacks are no offence where nobody leads: whoever leads next
    publishes them.
    """

    name = "I5"

    def __init__(self, stream: Iterator[StreamEntry], moment: Moment) -> None:
        super().__init__()
        self.inspected = True
        self._stream = stream
        self._moment = moment
        self._next = next(stream, None)
        self._fills = 0
        self._missing = 0
        if "fills" in moment.troubles:
            self.accuse("events_stream", "a stream that can be read", moment.troubles["fills"])

    def read(self, events: list[Event]) -> None:
        for event in events:
            if type(event) is TradeExecuted and self.active:
                self._compare(event)

    def _compare(self, trade: TradeExecuted) -> None:
        trade_id = trade.trade_id
        entry = self._next
        if entry is None:
            self._lacks(trade_id)
            return
        if entry.id != trade_id.encode():
            if place(entry.id) < (trade.seq, trade.n):
                self.accuse(entry.id.decode(), f"fill {trade_id} next", f"{entry.id.decode()}")
            else:
                self.accuse(trade_id, f"fill {trade_id}", f"{entry.id.decode()} next")
            return
        fill = fill_message(trade)
        expected = _encode(fill)
        told = dict(zip(entry.flat[::2], entry.flat[1::2], strict=True)).get(b"event", b"")
        if told != expected and decoded(told) != fill:
            self.accuse(trade_id, expected.decode(), told[:400].decode(errors="replace"))
            return
        self._fills += 1
        self._next = next(self._stream, None)

    def _lacks(self, trade_id: str) -> None:
        if self._moment.leader is None:
            self._missing += 1
        else:
            self.accuse(trade_id, f"fill {trade_id}", "the stream's end")

    def finish(self, tip: int) -> None:
        """The journal ends at `tip`: what was in the stream by then must be in the journal."""
        # Later ones are of commits that came while the evidence was read.
        end = place(self._moment.last_fill.encode()) if self._moment.last_fill else (0, -1)
        entry = self._next
        if entry is not None and (place(entry.id)[0] <= tip or place(entry.id) <= end):
            self.accuse(entry.id.decode(), "no further fill", f"{entry.id.decode()}")

    def counts(self) -> dict[str, int]:
        return {"fills": self._fills, "unpublished": self._missing}

    def words(self) -> str:
        late = (
            f"; {some(self._missing, 'fill')} more will be told by the next leader"
            if self._missing
            else ""
        )
        return f"{some(self._fills, 'fill')} compared{late}"


def decoded(raw: bytes) -> FillMessage | None:
    """The fill, whatever way it is written; None where it is none."""
    try:
        return msgspec.json.decode(raw, type=FillMessage)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
