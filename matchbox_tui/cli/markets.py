"""Markets as they are written on a command line: ``RAIN,SNOW=Will it snow?``."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from matchbox_tui.cli.running import UsageError
from matchbox_tui.engine import CreateMarket, Exchange, Market, refusal_of_market

if TYPE_CHECKING:
    from matchbox_tui.store import Client


def named_markets(text: str) -> list[Market]:
    """Prediction markets, each SYMBOL or SYMBOL=TITLE. Raises `UsageError` for a bad symbol."""
    markets = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        symbol, _, title = part.partition("=")
        market = Market.prediction(symbol, title)
        if refusal_of_market(market) is not None:
            raise UsageError(f"--markets: {symbol!r} is no symbol: use letters and digits")
        markets.append(market)
    return markets


async def open_markets(client: "Client", exchange: Exchange, markets: Iterable[Market]) -> None:
    """Asks for the markets that are missing where others lead; a leader of ours opens its own.

    `exchange` is the venue's state. Raises a `StoreError`.
    """
    missing = [
        CreateMarket(market, time.time_ns())
        for market in markets
        if market.symbol not in exchange.books
    ]
    if missing and (await client.cluster()).leader is not None:
        await client.submit(missing)
