"""WebSocket frames from the server: unmasked, so the same bytes serve every client."""

from struct import pack

import msgspec

PING = b"\x89\x00"

_TEXT = 0x81  # one frame, and the whole message in it
_SHORT = 125
_LONG = 0xFFFF

_encode = msgspec.json.Encoder().encode


def json_frame(message: msgspec.Struct) -> bytes:
    """One message as JSON text, in one frame."""
    return text_frame(_encode(message))


def text_frame(message: bytes) -> bytes:
    """One text message, which must be UTF-8, as one frame. O(its length)."""
    size = len(message)
    if size <= _SHORT:
        return pack("!BB", _TEXT, size) + message
    if size <= _LONG:
        return pack("!BBH", _TEXT, 126, size) + message
    return pack("!BBQ", _TEXT, 127, size) + message
