"""What a server's refusals mean, in one line for a person that names the fix."""

import re

from redis import exceptions as redis_errors

from matchbox_tui.store.errors import Overloaded, Refused
from matchbox_tui.store.keys import value_type

NEEDS_HASH_TAG = (
    "the server is a cluster, which spreads the keys of a venue over its shards:"
    " set MATCHBOX_KEY_PREFIX to a hash tag, such as {venue}:"
)


class UnknownScript(Refused):
    """The server has not seen this script since it started."""


class OutOfMemory(Refused):
    """The server's memory is full; it refuses what could take more of it, and reads on."""


class WrongValue(Refused):
    """A key holds something else than a venue keeps there; the server doesn't say which one."""


class NoGroup(Refused):
    """The stream, or the consumer group on it, is not there."""


def words(error: BaseException) -> str:
    """The error's text on one line."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = " ".join(str(error).split())
    return text.rstrip(".") or type(error).__name__


def refusal(error: redis_errors.ResponseError) -> Refused:
    """The server's error reply in our words."""
    text = _PLACE_IN_SCRIPT.sub("", words(error)).rstrip(". ")
    code = getattr(error, "status_code", None)
    if code in (None, "ERR"):
        # An error inside a script has its own code in its text.
        code, _, rest = text.partition(" ")
    else:
        rest = text
    if code == "NOSCRIPT":
        return UnknownScript(text)
    if code == "OVERLOADED":
        return Overloaded(f"{rest}: try again in a moment")
    if code == "WRONGTYPE" or "value is not an integer" in text:
        return WrongValue(f"the server refused: {text}")
    if code == "NOGROUP" or "requires the key to exist" in text:
        return NoGroup(f"the server refused: {text}")
    if code == "MISCONF":
        return Refused(_misconf(rest))
    if code in _MEANINGS:
        kind = OutOfMemory if code == "OOM" else Refused
        return kind(_MEANINGS[code].format(rest=rest, address=rest.split(" ")[-1]))
    return Refused(f"the server refused: {text}")


# Redis 6.2 puts it before the error, later ones after it.
_PLACE_IN_SCRIPT = re.compile(
    r"Error running script \(call to \w+\): |@user_script: ?\d+: -?|\bERR |"
    r",? ?script: \w*,? ?on @user_script:\d+"
)

_MEANINGS = {
    "OOM": (
        "the server is out of memory and takes no writes: raise its limit with CONFIG SET maxmemory"
    ),
    "READONLY": (
        "the server has become a replica and takes no writes: connect to its primary,"
        " or make it one with REPLICAOF NO ONE"
    ),
    "BUSY": "the server is busy with another program's script: SCRIPT KILL ends that",
    "NOPERM": "the server's user may not do this ({rest}): allow it with ACL SETUSER",
    "ACL": "the server's user may not do this ({rest}): allow it with ACL SETUSER",
    "MOVED": ("another server of the cluster keeps this venue: set REDIS_URL to redis://{address}"),
    "CROSSSLOT": NEEDS_HASH_TAG.replace("{", "{{").replace("}", "}}"),
    "CLUSTERDOWN": "the cluster is not ready ({rest}): see what CLUSTER INFO says",
}
"""By the code that an error starts with; `rest` is what follows it."""


def wrong_value(key: str, found: str, start: object) -> WrongValue | None:
    """What is wrong with the value of a venue's key; None where nothing is.

    `found` is the type that the server names, `start` the beginning of what it holds.
    """
    expected = value_type(key)
    if expected == "number" and found == "string":
        found = "number" if isinstance(start, bytes) and start.isdigit() else "text"
    if found in (expected, "none"):
        return None
    return WrongValue(
        f"{key} holds a value of type {found}, a venue keeps a {expected} there:"
        " another program wrote to it; rename or delete the key"
    )


def _misconf(text: str) -> str:
    # The other text that there is speaks of snapshots, at length, and names no reason.
    reason = text.partition("AOF file: ")[2]
    return (
        f"the server can't write to its disk{f' ({reason})' if reason else ''} and takes no"
        " writes: make room there, and see its log"
    )
