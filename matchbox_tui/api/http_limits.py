"""What one HTTP client may do, and how it is told that it did more."""

from urllib.parse import urlsplit

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """What one client may do. Sizes are in bytes, times in seconds."""

    head: int = 32 * 1024
    target: int = 8 * 1024
    headers: int = 100
    body: int = 4 * 1024 * 1024
    """Beyond what any route takes: they have limits of their own, and better words."""
    swallowed: int = 64 * 1024
    """A body so short is read to its end after an early answer, and the connection kept."""
    framing: int = 16 * 1024
    """Chunk sizes, their extensions and trailers, between one piece of a body and the next."""
    head_seconds: float = 10
    body_seconds: float = 30
    idle_seconds: float = 60
    stall_seconds: float = 20
    """How long a client may leave an answer unread."""
    linger_seconds: float = 2
    linger: int = 16 * 1024 * 1024
    """What is still read, to be thrown away, after the last answer."""
    connections: int = 10_000


class HeadRefused(Exception):
    """Raised within the parser for a head that no request may have; tells what to answer."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


def words_of(error: Exception) -> str:
    """What the parser says, without what it would make of our own failures."""
    return str(error) if error.__context__ is None else "not readable"


def path_of(target: bytes) -> bytes:
    """The path of a URL that was sent whole, as to a proxy. Raises `HeadRefused`."""
    try:
        url = urlsplit(target.decode("ascii"))
    except ValueError:
        raise HeadRefused(400, "the request's URL can't be understood") from None
    if url.scheme not in ("http", "https"):
        raise HeadRefused(400, "the request's URL must begin with / or http://")
    query = f"?{url.query}" if url.query else ""
    return f"{url.path or '/'}{query}".encode("ascii")
