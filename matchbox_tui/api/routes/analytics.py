"""What the analytics say, where they run beside the venue: candles and statistics."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from matchbox_tui.api.answers import CandleInterval, Problem, StatsAnswer
from matchbox_tui.api.errors import Refusal
from matchbox_tui.api.gateway import Gateway
from matchbox_tui.api.reading import check_query, loaded
from matchbox_tui.api.requests import known_market
from matchbox_tui.api.routes.parameters import LIMIT, Interval, Limit, MarketSymbol
from matchbox_tui.api.routes.problems import problems
from matchbox_tui.engine import DEFAULT_MARKET
from matchbox_tui.store import Candle

_NONE = "there are no analytics of this venue: start `matchbox consume analytics` beside it"

_REFUSALS = problems(400, 422, 503) | {
    404: ResponseSpec(
        Problem, description="No analytics run beside this venue.", generate_examples=False
    )
}


def analytics_routes(gateway: Gateway) -> list[HTTPRouteHandler]:
    @get(
        "/candles",
        tags=["Analytics"],
        summary="List a market's newest candles, oldest first",
        operation_id="listCandles",
        before_request=check_query,
        responses=_REFUSALS,
    )
    async def list_candles(
        market: MarketSymbol = DEFAULT_MARKET,
        interval: Interval = CandleInterval.MINUTE,
        limit: Limit = LIMIT,
    ) -> Response[list[Candle]]:
        known_market(loaded(gateway), market)
        found = await gateway.client.analytics.candles(market, interval.value, limit)
        if found is None:
            raise Refusal(404, _NONE)
        return Response(found[1], media_type="application/json")

    @get(
        "/stats",
        tags=["Analytics"],
        summary="A market's statistics and the engine's health",
        operation_id="getStats",
        before_request=check_query,
        responses=_REFUSALS,
    )
    async def get_stats(market: MarketSymbol = DEFAULT_MARKET) -> Response[StatsAnswer]:
        known_market(loaded(gateway), market)
        found = await gateway.client.analytics.stats(market)
        if found is None:
            raise Refusal(404, _NONE)
        venue, stats = found
        answer = StatsAnswer(
            sequence=venue.sequence,
            since=venue.since,
            history_from=venue.history_from,
            lag=max(0, gateway.view.seq - venue.sequence),
            health=venue.health,
            market=stats,
        )
        return Response(answer, media_type="application/json")

    return [list_candles, get_stats]
