"""The WebSocket feeds of the gateway: fills, books and a trader's orders (CONTRACT section 4).

One instance serves many clients the same fills, so nothing is done per client and message: each
message is encoded and framed once, what comes close together is joined, and a client costs one
write for all of it. `Feeds` holds the connections; uvicorn hands them over at the upgrade.
"""

from matchbox_tui.api.feeds.hub import Feeds
from matchbox_tui.api.feeds.settings import FeedSettings

__all__ = ["FeedSettings", "Feeds"]
