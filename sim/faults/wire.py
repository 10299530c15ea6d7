"""What requests and replies of the venue look like on their way, for whoever sits in between."""

from matchbox_tui.store import Keys

FENCED = b"$6\r\nFENCED\r\n"
"""How the server's answer to a commit begins where another instance leads by now."""

REFUSALS = (FENCED, b"$3\r\nCAS\r\n", b"$5\r\nINPUT\r\n")
"""How the server's answer to a commit begins where it refuses it, for any reason."""


def traders(name: str) -> bool:
    """Whether it is the connection on which `matchbox traders` submits."""
    return name == "matchbox-traders:submit"


def commit_marker(keys: Keys) -> bytes:
    """What every commit's request holds and no other request does."""
    return _in_turn(keys.leader, keys.log)


def submit_marker(keys: Keys) -> bytes:
    """What every submit's request holds and no other request does."""
    return _in_turn(keys.queue, keys.order_id)


def _in_turn(*words: str) -> bytes:
    return b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words)
