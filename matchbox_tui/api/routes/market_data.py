"""Market data: books, trades, markets and positions."""

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from matchbox_tui.api.answers import MarketAnswer, PositionAnswer
from matchbox_tui.api.gateway import Gateway
from matchbox_tui.api.reading import answer, check_query, encoded, in_order, loaded
from matchbox_tui.api.requests import known_market
from matchbox_tui.api.routes.parameters import (
    LIMIT,
    MAX_DEPTH,
    AnyMarket,
    AnyTrader,
    Before,
    Depth,
    Limit,
    MarketSymbol,
    WithHistory,
)
from matchbox_tui.api.routes.problems import problems
from matchbox_tui.api.trade_log import place_of
from matchbox_tui.engine import DEFAULT_MARKET, BookSnapshot, OrderBook
from matchbox_tui.store import FillMessage


def market_data_routes(gateway: Gateway) -> list[HTTPRouteHandler]:
    @get(
        "/orderbook",
        tags=["Market data"],
        summary="Look at a market's book, best prices first",
        operation_id="getOrderbook",
        before_request=check_query,
        responses=problems(400, 422, 503),
    )
    async def get_orderbook(
        market: MarketSymbol = DEFAULT_MARKET, depth: Depth = MAX_DEPTH
    ) -> Response[BookSnapshot]:
        exchange = loaded(gateway)
        known_market(exchange, market)
        return answer(gateway, exchange.book(market).snapshot(depth))

    @get(
        "/trades",
        tags=["Market data"],
        summary="List the last trades, or those before one, oldest first",
        operation_id="listTrades",
        before_request=check_query,
        responses=problems(400, 422, 503),
    )
    async def list_trades(
        market: AnyMarket = None,
        before: Before = None,
        limit: Limit = LIMIT,
        history: WithHistory = True,
    ) -> Response[list[FillMessage]]:
        exchange = loaded(gateway)
        if market is not None:
            known_market(exchange, market)
        place = place_of(before) if before is not None else None
        page = await gateway.back.trades(market, place, limit, history=history)
        return answer(gateway, page.found, page.missing, page.seq)

    @get(
        "/markets",
        tags=["Market data"],
        summary="List the markets, oldest first",
        operation_id="listMarkets",
        before_request=check_query,
        responses=problems(422, 503),
    )
    async def list_markets() -> Response[list[MarketAnswer]]:
        return answer(gateway, [described(book) for book in loaded(gateway).books.values()])

    def described(book: OrderBook) -> MarketAnswer:
        market = book.market
        last = gateway.view.trades.last(market.symbol, 1)
        return MarketAnswer(
            symbol=market.symbol,
            title=market.title,
            min_price=market.min_price,
            max_price=market.max_price,
            tick=market.tick,
            status=market.status,
            best_bid=book.best_bid,
            best_ask=book.best_ask,
            last_price=last[0].price if last else None,
            sequence=book.sequence,
        )

    @get(
        "/positions",
        tags=["Market data"],
        summary="List positions by trader and market",
        operation_id="listPositions",
        before_request=check_query,
        responses=problems(400, 422, 503),
    )
    async def list_positions(
        trader: AnyTrader = None, market: AnyMarket = None
    ) -> Response[list[PositionAnswer]]:
        exchange = loaded(gateway)
        if market is not None:
            known_market(exchange, market)
        positions = exchange.positions
        holders = [
            (who, where)
            for who, where in positions.holders()
            if (trader is None or who == trader) and (market is None or where == market)
        ]

        def shown(holder: tuple[str, str]) -> PositionAnswer:
            held = positions.of(*holder)
            return PositionAnswer(*holder, held.qty, held.cash)

        return answer(gateway, await encoded(await in_order(holders), shown))

    return [get_orderbook, list_trades, list_markets, list_positions]
