"""The HTTP application: routes over a gateway."""

from litestar import Litestar
from litestar.exceptions import ValidationException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from matchbox_tui.api.errors import HANDLERS
from matchbox_tui.api.gateway import Gateway
from matchbox_tui.api.limits import Gate
from matchbox_tui.api.openapi import Document
from matchbox_tui.api.routes import (
    analytics_routes,
    docs_routes,
    health_routes,
    market_data_routes,
    options_routes,
    order_routes,
    websocket_routes,
)
from matchbox_tui.api.wording import answer_query


def create_app(gateway: Gateway, *, token: str = "", rate_limit: int = 0) -> ASGIApp:
    """The application. Each route list takes the gateway and returns its handlers.

    With a `token` everything but the probes needs it; `rate_limit` is how many requests a second
    one client address may make, 0 for any number.
    """
    handlers: list[HTTPRouteHandler] = [
        *order_routes(gateway),
        *market_data_routes(gateway),
        *analytics_routes(gateway),
        *health_routes(gateway),
    ]
    document = Document(handlers, token=bool(token), limited=rate_limit > 0)
    served = [*handlers, *docs_routes(gateway, document), *websocket_routes()]
    app = Litestar(
        [*options_routes(served), *served],
        exception_handlers={**HANDLERS, ValidationException: answer_query},
        openapi_config=None,
        logging_config=None,
    )
    return Gate(app, token, rate_limit) if token or rate_limit else app
