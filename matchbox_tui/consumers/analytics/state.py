"""The figures in parts, to be kept over a restart, together with the books they are taken from.

A recovery snapshot has the books as well, but of another place, and the one that fitted may be gone
by the time that it is needed.
"""

import zlib
from collections.abc import Iterator, Sequence

import msgspec

from matchbox_tui.consumers.analytics.figures import Figures
from matchbox_tui.consumers.analytics.health import Health
from matchbox_tui.consumers.analytics.market import MarketFigures, MarketState
from matchbox_tui.engine import BookPart, Exchange, PositionsPart, dump_parts, load_part
from matchbox_tui.store import StateHeader


class HealthPart(msgspec.Struct, frozen=True, tag="health"):
    health: Health


class FiguresPart(msgspec.Struct, frozen=True, tag="figures"):
    market: MarketState


_part: msgspec.json.Decoder[HealthPart | FiguresPart | BookPart | PositionsPart] = (
    msgspec.json.Decoder(HealthPart | FiguresPart | BookPart | PositionsPart)
)


def dump_figures(figures: Figures) -> Iterator[bytes]:
    """The figures in parts. They must not move until the last one is taken."""
    yield _encoded(HealthPart(figures.health))
    for market in figures.markets.values():
        yield _encoded(FiguresPart(market.state()))
    for part in dump_parts(figures.exchange):
        yield _encoded(part)


def load_figures(head: StateHeader, parts: Sequence[bytes]) -> Figures:
    """The figures that `dump_figures` took apart. Raises `ValueError` for what can't be read."""
    exchange, health, markets = Exchange(()), Health(), list[MarketFigures]()
    exchange.seq = head.seq
    for raw in parts:
        try:
            part = _part.decode(zlib.decompress(raw))
        except zlib.error as error:
            raise ValueError(str(error)) from None
        if isinstance(part, HealthPart):
            health = part.health
        elif isinstance(part, FiguresPart):
            markets.append(MarketFigures(part.market.market, part.market))
        else:
            load_part(exchange, part)
    return Figures(exchange, head.since, health, markets, head.history_from)


def _encoded(part: HealthPart | FiguresPart | BookPart | PositionsPart) -> bytes:
    return zlib.compress(msgspec.json.encode(part), 1)
