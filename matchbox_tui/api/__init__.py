"""The gateway: HTTP and WebSocket for a venue. May import the store and the engine.

`Gateway` is what it does, `create_app` says it in HTTP, and `ApiServer` listens. It runs beside an
engine node in `matchbox serve`, and talks to it only through the queue and the journal.
"""

from matchbox_tui.api.app import create_app
from matchbox_tui.api.feeds import Feeds, FeedSettings
from matchbox_tui.api.gateway import Gateway
from matchbox_tui.api.http_limits import Limits
from matchbox_tui.api.server import ApiServer, address_of, listen, open_many_files

__all__ = [
    "ApiServer",
    "FeedSettings",
    "Feeds",
    "Gateway",
    "Limits",
    "address_of",
    "create_app",
    "listen",
    "open_many_files",
]
