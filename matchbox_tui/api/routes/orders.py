"""Orders: asking for them, changing and cancelling them, and looking at them."""

import time
from collections.abc import Awaitable
from typing import TypeVar

from litestar import Response, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import RequestBody

from matchbox_tui.api.answers import CancelAllAnswer, OrderAnswer, OrderId, OrderIds, OrderStatus
from matchbox_tui.api.bodies import Room, json_body
from matchbox_tui.api.errors import Refusal, refusal_of_submit
from matchbox_tui.api.gateway import Gateway
from matchbox_tui.api.order_log import OrderRecord
from matchbox_tui.api.reading import answer, check_bare_query, check_query, loaded, missing_header
from matchbox_tui.api.requests import (
    BatchRequest,
    OrderRequest,
    ReplaceRequest,
    check_price,
    known_market,
    new_order,
)
from matchbox_tui.api.routes.parameters import (
    LIMIT,
    After,
    AnyMarket,
    AnyStatus,
    AnyTrader,
    Limit,
    OrderIdInPath,
    Trader,
    WithHistory,
)
from matchbox_tui.api.routes.problems import problems
from matchbox_tui.engine import CancelAll, CancelOrder, ReplaceOrder
from matchbox_tui.store import OrdersWanted, StoreError

T = TypeVar("T")

ORDER_BYTES = 64 * 1024
BATCH_BYTES = 1024 * 1024

OPEN = (OrderStatus.PENDING, OrderStatus.OPEN)
"""What may still be changed: a pending order gets its turn before whatever is asked of it."""

_REPEATED = "The client_order_id was known: the id of the first order under it; nothing was queued."


def order_routes(gateway: Gateway) -> list[HTTPRouteHandler]:
    room = Room()
    return [*_placing(gateway, room), *_looking(gateway), *_changing(gateway, room)]


def _placing(gateway: Gateway, room: Room) -> list[HTTPRouteHandler]:
    @post(
        "/orders",
        tags=["Orders"],
        summary="Place an order",
        operation_id="placeOrder",
        middleware=[json_body(OrderRequest, ORDER_BYTES, room)],
        response_description="The order is queued.",
        responses={
            200: ResponseSpec(OrderId, description=_REPEATED, generate_examples=False),
            **problems(400, 413, 415, 422, 503, 504),
        },
    )
    async def place_order(data: RequestBody[OrderRequest]) -> Response[OrderId]:
        order = new_order(data, loaded(gateway))
        (placed,) = await submitted(gateway.place((order,)))
        return Response(OrderId(placed.order_id), status_code=200 if placed.repeated else 201)

    @post(
        "/orders/batch",
        tags=["Orders"],
        summary="Place up to 1000 orders, all or none",
        operation_id="placeOrders",
        middleware=[json_body(BatchRequest, BATCH_BYTES, room)],
        response_description="The orders are queued.",
        responses={
            200: ResponseSpec(
                OrderIds,
                description="All client_order_ids were known; nothing was queued.",
                generate_examples=False,
            ),
            **problems(400, 413, 415, 422, 503, 504),
        },
    )
    async def place_orders(data: RequestBody[BatchRequest]) -> Response[OrderIds]:
        exchange = loaded(gateway)
        orders = [
            new_order(order, exchange, f"orders[{number}].")
            for number, order in enumerate(data.orders)
        ]
        placed = await submitted(gateway.place(orders))
        repeated = all(order.repeated for order in placed)
        return Response(
            OrderIds([order.order_id for order in placed]), status_code=200 if repeated else 201
        )

    return [place_order, place_orders]


def _looking(gateway: Gateway) -> list[HTTPRouteHandler]:
    @get(
        "/orders",
        tags=["Orders"],
        summary="List orders by id",
        operation_id="listOrders",
        before_request=check_query,
        responses=problems(400, 422, 503),
    )
    async def list_orders(
        after: After = 0,
        limit: Limit = LIMIT,
        trader: AnyTrader = None,
        market: AnyMarket = None,
        status: AnyStatus = None,
        history: WithHistory = True,
    ) -> Response[list[OrderAnswer]]:
        exchange = loaded(gateway)
        if market is not None:
            known_market(exchange, market)

        def fits(record: OrderRecord) -> bool:
            return (
                (trader is None or record.order.trader == trader)
                and (market is None or record.order.market == market)
                and (status is None or record.status is status)
            )

        wanted = OrdersWanted(after, limit, 0, trader, market, status)
        page = await gateway.back.orders(wanted, fits, history=history)
        return answer(gateway, page.found, page.missing, page.seq)

    @get(
        "/orders/{order_id:int}",
        tags=["Orders"],
        summary="Look at an order",
        operation_id="getOrder",
        before_request=check_query,
        responses=problems(404, 422, 503),
    )
    async def get_order(order_id: OrderIdInPath) -> Response[OrderAnswer]:
        loaded(gateway)
        record = await gateway.order(order_id)
        if record is not None:
            return answer(gateway, record.answer())
        ended, missing = await gateway.back.order(order_id)
        if ended is None:
            raise Refusal(404, _no_order(order_id), missing_header(missing))
        return answer(gateway, ended)

    return [list_orders, get_order]


def _changing(gateway: Gateway, room: Room) -> list[HTTPRouteHandler]:
    @patch(
        "/orders/{order_id:int}",
        tags=["Orders"],
        summary="Give an order a new price, a new total, or both",
        operation_id="replaceOrder",
        status_code=202,
        middleware=[json_body(ReplaceRequest, ORDER_BYTES, room)],
        response_description="The change is queued.",
        responses=problems(400, 404, 409, 413, 415, 422, 503, 504),
    )
    async def replace_order(
        order_id: OrderIdInPath, data: RequestBody[ReplaceRequest]
    ) -> Response[OrderId]:
        qty = data.qty or None
        price = data.price or None
        if qty is None and price is None:
            raise Refusal(422, "qty and price are missing: give one of them, or both")
        record = await open_order(gateway, order_id)
        book = gateway.view.exchange.books.get(record.order.market)
        if price is not None and book is not None:
            check_price(price, book.market)
        command = ReplaceOrder(order_id=order_id, qty=qty, price=price, timestamp=time.time_ns())
        await submitted(gateway.ask(command))
        return Response(OrderId(order_id), status_code=202)

    @delete(
        "/orders/{order_id:int}",
        tags=["Orders"],
        summary="Cancel an order",
        operation_id="cancelOrder",
        status_code=202,
        before_request=check_query,
        response_description="The cancel is queued.",
        responses=problems(404, 409, 422, 503, 504),
    )
    async def cancel_order(order_id: OrderIdInPath) -> OrderId:
        await open_order(gateway, order_id)
        await submitted(gateway.ask(CancelOrder(order_id, time.time_ns())))
        return OrderId(order_id)

    @delete(
        "/orders",
        tags=["Orders"],
        summary="Cancel all open orders of a trader",
        operation_id="cancelOrders",
        status_code=202,
        before_request=check_bare_query,
        response_description="The cancel is queued.",
        responses=problems(400, 422, 503, 504),
    )
    async def cancel_orders(trader: Trader = "", market: AnyMarket = None) -> CancelAllAnswer:
        if market is not None:
            known_market(loaded(gateway), market)
        await submitted(gateway.ask(CancelAll(trader, market, time.time_ns())))
        return CancelAllAnswer(trader, market)

    return [replace_order, cancel_order, cancel_orders]


async def known_order(gateway: Gateway, order_id: int) -> OrderRecord:
    """Raises `Refusal` for an id that no order has."""
    loaded(gateway)
    record = await gateway.order(order_id)
    if record is None:
        raise Refusal(404, _no_order(order_id))
    return record


def _no_order(order_id: int) -> str:
    return f"order {order_id}: no order has this id, or it ended long ago"


async def open_order(gateway: Gateway, order_id: int) -> OrderRecord:
    """Raises `Refusal` for an order that is known to have ended, and as `known_order`."""
    record = await known_order(gateway, order_id)
    if record.status not in OPEN:
        raise Refusal(409, f"order {order_id} is {record.status}: it is no longer open")
    return record


async def submitted(work: Awaitable[T]) -> T:
    """What a submit returns. Raises `Refusal` where it failed or its outcome is unknown."""
    try:
        return await work
    except StoreError as error:
        raise refusal_of_submit(error) from error
