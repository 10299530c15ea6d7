"""The facts that the scorecard asks about: where each is known from, and what counts as like it.

The selection follows Vyetrenko, Byrd, Petosa, Mahfouz, Dervovic, Veloso and Balch (2020, Get Real:
Realism Metrics for Robust Limit Order Book Market Simulations, ICAIF '20). Papers give estimates
for the markets that they looked at, not limits for others: every limit here is our own reading of
them, chosen so that a market of pure chance is outside wherever the fact says that real ones are.
"""

import msgspec

CONT = (
    "Cont (2001), Empirical properties of asset returns: stylized facts and statistical issues,"
    " Quantitative Finance 1"
)
GOPIKRISHNAN = (
    "Gopikrishnan, Plerou, Amaral, Meyer and Stanley (1999), Scaling of the distribution of"
    " fluctuations of financial market indices, Physical Review E 60; Hill (1975), A simple general"
    " approach to inference about the tail of a distribution, Annals of Statistics 3"
)
WYART = (
    "Wyart, Bouchaud, Kockelkoren, Potters and Vettorazzo (2008), Relation between bid-ask spread,"
    " impact and volatility in order-driven markets, Quantitative Finance 8"
)
PLEROU = (
    "Plerou, Gopikrishnan and Stanley (2005), Quantifying fluctuations in market liquidity:"
    " Analysis of the bid-ask spread, Physical Review E 71"
)
BOUCHAUD = (
    "Bouchaud, Mezard and Potters (2002), Statistical properties of stock order books: empirical"
    " results and models, Quantitative Finance 2"
)
ENGLE = (
    "Engle and Russell (1998), Autoregressive conditional duration: a new model for irregularly"
    " spaced transaction data, Econometrica 66"
)
LILLO = (
    "Lillo and Farmer (2004), The long memory of the efficient market, Studies in Nonlinear"
    " Dynamics & Econometrics 8"
)


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. It holds where the figure is within `least` and `most` (None: no limit).

    `figure` says what is computed; `holds` and `lacks` what it means where it holds and where not.
    """

    name: str
    figure: str
    least: float | None = None
    most: float | None = None
    source: str
    holds: str
    lacks: str

    def like(self, figure: float) -> bool:
        """Whether a real market might have this figure."""
        return (self.least is None or figure >= self.least) and (
            self.most is None or figure <= self.most
        )

    @property
    def wanted(self) -> str:
        """The limits in words."""
        if self.most is None:
            return f">= {self.least:g}"
        if self.least is None:
            return f"<= {self.most:g}"
        return f"{self.least:g} to {self.most:g}"


FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact(
            name="returns_autocorrelation",
            figure="largest autocorrelation of returns at lags 2 to 20, whatever its sign",
            most=0.1,
            source=CONT,
            holds="past returns don't foretell later ones",
            lacks="past returns foretell later ones",
        ),
        Fact(
            name="returns_kurtosis",
            figure="excess kurtosis of returns (0: normal)",
            least=1,
            source=CONT,
            holds="large moves are far more frequent than a normal distribution has them",
            lacks="large moves are hardly more frequent than a normal distribution has them",
        ),
        Fact(
            name="returns_tail",
            figure="exponent of the tail of returns, by Hill's estimate over the largest 2.5 %",
            least=2,
            most=4,
            source=GOPIKRISHNAN,
            holds="the tail falls off like a power law with an exponent near 3",
            lacks="the tail doesn't fall off like a power law with an exponent near 3",
        ),
        Fact(
            name="returns_aggregation",
            figure="excess kurtosis of returns over 8 intervals, as a part of that over one",
            most=0.9,
            source=CONT,
            holds="over longer times returns come closer to a normal distribution",
            lacks="over longer times returns come no closer to a normal distribution",
        ),
        Fact(
            name="volatility_clustering",
            figure="mean autocorrelation of absolute returns at lags 1 to 10",
            least=0.05,
            source=CONT,
            holds="large moves follow on large ones",
            lacks="the size of a move says next to nothing about the next one's",
        ),
        Fact(
            name="volatility_memory",
            figure="mean autocorrelation of absolute returns at lags 20 to 50",
            least=0.02,
            source=CONT,
            holds="agitation dies down slowly",
            lacks="agitation is soon forgotten, or was never there",
        ),
        Fact(
            name="volume_volatility",
            figure="correlation of an interval's absolute return and its number of trades",
            least=0.1,
            source=CONT,
            holds="prices move more when more is traded",
            lacks="how much is traded has next to nothing to do with how far prices move",
        ),
        Fact(
            name="spread_volatility",
            figure="mean spread before a trade, over the root mean square change of the middle from"
            " one trade to the next",
            least=0.5,
            most=4,
            source=WYART,
            holds="the spread is of the size of what a trade moves the price by",
            lacks="the spread is out of proportion to what a trade moves the price by",
        ),
        Fact(
            name="spread_tail",
            figure="the spread that 99 % of the time is not exceeded, over the mean spread",
            least=2.5,
            source=PLEROU,
            holds="now and then the spread is several times as wide as it is on average",
            lacks="the spread is never much wider than it is on average",
        ),
        Fact(
            name="depth_touch",
            figure="shape of the gamma distribution of contracts at the best price, by its moments"
            " (1: exponential)",
            least=0.5,
            most=1.5,
            source=BOUCHAUD,
            holds="little at the best price is the most frequent case, and much is rare",
            lacks="contracts at the best price are not spread like a gamma or exponential variable",
        ),
        Fact(
            name="depth_hump",
            figure="contracts at the fullest price behind the best, over those at the best (means)",
            least=1.1,
            source=BOUCHAUD,
            holds="the book is fullest some ticks behind the best price",
            lacks="the book is fullest at the best price",
        ),
        Fact(
            name="trade_waits",
            figure="times between trades: standard deviation over mean (1: Poisson)",
            least=1.1,
            source=ENGLE,
            holds="trades come in bursts",
            lacks="trades come as evenly as pure chance has them",
        ),
        Fact(
            name="trade_waits_memory",
            figure="mean autocorrelation of times between trades at lags 1 to 10",
            least=0.02,
            source=ENGLE,
            holds="busy times last",
            lacks="a short wait says next to nothing about the next one",
        ),
        Fact(
            name="order_waits",
            figure="times between new orders: standard deviation over mean (1: Poisson)",
            least=1.1,
            source=ENGLE + " (found there for trades)",
            holds="orders come in bursts",
            lacks="orders come as evenly as pure chance has them",
        ),
        Fact(
            name="sign_correlation",
            figure="mean autocorrelation of the takers' sides at lags 1 to 10 trades",
            least=0.05,
            source=LILLO,
            holds="buyers follow on buyers, and sellers on sellers",
            lacks="whether the last taker bought says next to nothing about the next one",
        ),
        Fact(
            name="sign_memory",
            figure="Hurst exponent of the takers' sides, from 10 to 1,000 trades (0.5: no memory)",
            least=0.6,
            most=1,
            source=LILLO,
            holds="the side that takes stays the same over hundreds of trades",
            lacks="over hundreds of trades the takers' sides are forgotten",
        ),
    )
}
