"""The HTTP application: routes over a gateway."""

import time
from typing import Any

import msgspec
from litestar import Litestar, Response, get, post
from litestar.di import Provide

from matchbox_tui.api.answers import OrderId
from matchbox_tui.api.gateway import Gateway
from matchbox_tui.engine import BookSnapshot, NewOrder, Side


class OrderRequest(msgspec.Struct, forbid_unknown_fields=True):
    side: Side
    price: int
    qty: int


@get("/health", sync_to_thread=False)
def health() -> dict[str, str]:
    return {"status": "ok"}


@post("/orders")
async def post_order(data: OrderRequest, gateway: Gateway) -> Response[OrderId]:
    order = NewOrder(
        order_id=1, side=data.side, price=data.price, qty=data.qty, timestamp=time.time_ns()
    )
    (placed,) = await gateway.place([order])
    return Response(OrderId(placed.order_id), status_code=200 if placed.repeated else 201)


@get("/orderbook", sync_to_thread=False)
def orderbook(gateway: Gateway) -> BookSnapshot:
    return gateway.view.exchange.book("MAIN").snapshot()


def create_app(gateway: Gateway) -> Litestar:
    def provide() -> Gateway:
        return gateway

    dependencies: dict[str, Any] = {
        "gateway": Provide(provide, use_cache=True, sync_to_thread=False)
    }
    return Litestar(
        [health, post_order, orderbook],
        dependencies=dependencies,
        logging_config=None,
    )
