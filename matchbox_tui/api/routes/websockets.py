"""The feeds' paths, for who asks for one without the WebSocket handshake."""

from litestar import get
from litestar.handlers import HTTPRouteHandler

from matchbox_tui.api.errors import Refusal
from matchbox_tui.api.feeds.handshake import PARAMETERS


def websocket_routes() -> list[HTTPRouteHandler]:
    """A handshake does not come here: the server hands it to the feeds."""

    @get(list(PARAMETERS), include_in_schema=False)
    async def feed() -> None:
        raise Refusal(
            426,
            "this is a WebSocket: connect to ws:// with a client that speaks it",
            {"Upgrade": "websocket", "Connection": "Upgrade"},
        )

    return [feed]
