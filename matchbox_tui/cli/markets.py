"""Markets as they are written on a command line: ``RAIN,SNOW=Will it snow?``."""

from matchbox_tui.cli.running import UsageError
from matchbox_tui.engine import Market, refusal_of_market


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
