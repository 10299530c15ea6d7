"""The API's token: the same check for requests and for WebSocket handshakes."""

import hmac


def token_matches(header: bytes | None, token: str) -> bool:
    """Whether an Authorization header carries the token as ``Bearer <token>``.

    Always true where the token is empty. Takes as long for a wrong token as for the right one.
    """
    if not token:
        return True
    scheme, _, given = (header or b"").strip().partition(b" ")
    matches = hmac.compare_digest(given.strip(b" "), token.encode())
    return matches and scheme.lower() == b"bearer"
