"""Parameters of paths and queries, each with its bounds."""

from typing import Annotated

from litestar.params import PathParameter, QueryParameter

from matchbox_tui.api.answers import CandleInterval, OrderStatus
from matchbox_tui.engine import MAX_ID, MAX_NAME

LIMIT = 100
MAX_LIMIT = 1000
MAX_DEPTH = 10_000
"""Most levels of one side in one answer."""

OrderIdInPath = Annotated[int, PathParameter(ge=1, le=MAX_ID, description="The order's id.")]
After = Annotated[
    int, QueryParameter(ge=0, le=MAX_ID, description="Only orders with higher ids: the last seen.")
]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT, description="At most so many.")]
Before = Annotated[
    str | None,
    QueryParameter(
        pattern="^[0-9]{1,16}-[0-9]{1,16}$",
        description="Only trades before this trade_id: the first of the page after.",
    ),
]
WithHistory = Annotated[
    bool,
    QueryParameter(
        description="Whether the database of the past is asked, where there is one, for what is"
        " no longer in memory."
    ),
]
Depth = Annotated[int, QueryParameter(ge=1, le=MAX_DEPTH, description="At most so many a side.")]
AnyTrader = Annotated[
    str | None,
    QueryParameter(max_length=MAX_NAME, description="Only this trader's; empty: anonymous ones."),
]
Trader = Annotated[
    str, QueryParameter(max_length=MAX_NAME, description="Whose; empty: anonymous ones.")
]
AnyMarket = Annotated[
    str | None, QueryParameter(max_length=MAX_NAME, description="Only in this market.")
]
MarketSymbol = Annotated[str, QueryParameter(max_length=MAX_NAME, description="The market.")]
AnyStatus = Annotated[OrderStatus | None, QueryParameter(description="Only those in this state.")]
Interval = Annotated[CandleInterval, QueryParameter(description="How long a candle lasts.")]
