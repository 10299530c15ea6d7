"""Whether a server can keep a venue, and what it can't promise."""

import re

from matchbox_tui.store.errors import Refused, Unusable
from matchbox_tui.store.keys import Keys
from matchbox_tui.store.link import Link
from matchbox_tui.store.refusals import NEEDS_HASH_TAG

_OLDEST_REDIS = (6, 2)
_OLDEST_VALKEY = (7, 2)


async def check_server(link: Link, keys: Keys) -> tuple[str, ...]:
    """Warnings about settings that weaken what we promise for a venue under these keys.

    Raises `Unreachable`, or `Unusable` for a server that is too old, is a read-only copy, would
    throw away parts of the journal, or is a cluster that doesn't keep the keys in one place.
    """
    info, setting = await link.calls([("INFO",), ("CONFIG", "GET", "appendfsync")])
    if isinstance(info, Refused):
        raise Unusable(f"the server doesn't show its version ({info}): allow INFO to this user")
    facts = _parse(info)
    _check_version(facts)
    if facts.get("role") not in ("master", None):
        raise Unusable("the server is a replica and takes no writes: connect to its primary")
    if facts.get("cluster_enabled") == "1":
        await _check_cluster(link, keys)
    warnings = []
    policy = facts.get("maxmemory_policy", "noeviction")
    if policy.startswith("allkeys") and facts.get("maxmemory", "0") != "0":
        raise Unusable(
            f"the server's maxmemory-policy is {policy}, so it would throw away the journal:"
            " run CONFIG SET maxmemory-policy noeviction"
        )
    if policy != "noeviction":
        warnings.append(
            f"maxmemory-policy is {policy}: the server may forget keys;"
            " run CONFIG SET maxmemory-policy noeviction"
        )
    fsync = setting[1].decode() if isinstance(setting, list) and len(setting) == 2 else None
    if facts.get("aof_enabled") == "0":
        warnings.append(
            "appendonly is off: a crash of the server loses orders that were acknowledged;"
            " run CONFIG SET appendonly yes"
        )
    elif fsync not in (None, "always"):
        warnings.append(
            f"appendfsync is {fsync}: a power failure may lose the last orders;"
            " run CONFIG SET appendfsync always"
        )
    return tuple(warnings)


async def _check_cluster(link: Link, keys: Keys) -> None:
    # What stands between the first brace and the next decides where a key goes.
    if not re.match(r"[^{]*\{[^}]+\}", keys.prefix):
        raise Unusable(NEEDS_HASH_TAG)
    try:
        await link.call("EXISTS", keys.log)
    except Refused as error:
        raise Unusable(str(error)) from None


def _parse(info: bytes) -> dict[str, str]:
    lines = info.decode("utf-8", "replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _check_version(facts: dict[str, str]) -> None:
    if "valkey_version" in facts:
        name, text, oldest = "Valkey", facts["valkey_version"], _OLDEST_VALKEY
    else:
        name, text, oldest = "Redis", facts.get("redis_version", "0"), _OLDEST_REDIS
    parts = text.split(".")[:2]
    if tuple(int(part) if part.isdecimal() else 0 for part in parts) < oldest:
        raise Unusable(
            f"the server is {name} {text}, which is too old:"
            " use Redis 6.2 or newer, or Valkey 7.2 or newer"
        )
