"""The routes, by subject: each function takes the gateway and returns handlers for the app."""

from matchbox_tui.api.routes.analytics import analytics_routes
from matchbox_tui.api.routes.docs import docs_routes
from matchbox_tui.api.routes.health import health_routes
from matchbox_tui.api.routes.market_data import market_data_routes
from matchbox_tui.api.routes.options import options_routes
from matchbox_tui.api.routes.orders import order_routes
from matchbox_tui.api.routes.websockets import websocket_routes

__all__ = [
    "analytics_routes",
    "docs_routes",
    "health_routes",
    "market_data_routes",
    "options_routes",
    "order_routes",
    "websocket_routes",
]
