"""What an operator, or a test, may set about the feeds."""

import msgspec


class FeedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and times of all WebSocket connections of one instance."""

    token: str = ""
    """Who connects must send it as `Authorization: Bearer`; empty: anybody may connect."""

    connections: int = 10_000
    """Connections at one time; more are refused with 503."""

    backlog: int = 1 << 20
    """How far a client may be behind, in bytes, before it is disconnected."""

    heartbeat_s: float = 20.0
    """A connection from which nothing came for so long is pinged; for as long again, and it is
    dropped.
    """

    closing_s: float = 3.0
    """How long a client may take to read what it was sent before the close, and the close."""
