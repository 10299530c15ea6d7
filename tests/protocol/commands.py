"""The plain commands that the project sends, each as a function of the keys and its arguments."""

from collections.abc import Callable
from typing import Any

from tests.protocol.keyspace import Keyspace, Reply, ServerError, Stream, ZSet, parse_id

Args = list[bytes]


def get(keys: Keyspace, args: Args) -> Reply:
    return keys.string(args[0])


def set_(keys: Keyspace, args: Args) -> Reply:
    options = [option.upper() for option in args[2:]]
    if b"NX" in options and keys.get(args[0]) is not None:
        return None
    keys.set(args[0], args[1], int(args[options.index(b"PX") + 3]) if b"PX" in options else None)
    return b"OK"


def delete(keys: Keyspace, args: Args) -> Reply:
    return sum(keys.delete(key) for key in args if keys.get(key) is not None)


def exists(keys: Keyspace, args: Args) -> Reply:
    return sum(keys.get(key) is not None for key in args)


def incr(keys: Keyspace, args: Args) -> Reply:
    return keys.incrby(args[0], 1)


def pexpire(keys: Keyspace, args: Args) -> Reply:
    if keys.get(args[0]) is None:
        return 0
    keys.expiries[args[0]] = keys.now_ms() + int(args[1])
    return 1


def keys_(keys: Keyspace, args: Args) -> Reply:
    """For a pattern that is a beginning and a star."""
    assert args[0].endswith(b"*")
    return [
        key for key in list(keys.values) if key.startswith(args[0][:-1]) and exists(keys, [key])
    ]


def pttl(keys: Keyspace, args: Args) -> Reply:
    if keys.get(args[0]) is None:
        return -2
    return keys.expiries[args[0]] - keys.now_ms() if args[0] in keys.expiries else -1


def time(keys: Keyspace, args: Args) -> Reply:
    seconds, ms = divmod(keys.now_ms(), 1000)
    return [b"%d" % seconds, b"%d" % (ms * 1000)]


def type_(keys: Keyspace, args: Args) -> Reply:
    return TYPES[type(keys.get(args[0]))]


def getrange(keys: Keyspace, args: Args) -> Reply:
    return (keys.string(args[0]) or b"")[int(args[1]) : int(args[2]) + 1]


TYPES = {
    type(None): b"none",
    bytes: b"string",
    list: b"list",
    dict: b"hash",
    ZSet: b"zset",
    Stream: b"stream",
}


# Lists


def rpush(keys: Keyspace, args: Args) -> Reply:
    return keys.rpush(args[0], args[1:])


def llen(keys: Keyspace, args: Args) -> Reply:
    return len(keys.elements(args[0]))


def lrange(keys: Keyspace, args: Args) -> Reply:
    return keys.lrange(args[0], int(args[1]), int(args[2]))


def lindex(keys: Keyspace, args: Args) -> Reply:
    held, index = keys.elements(args[0]), int(args[1])
    return held[index] if -len(held) <= index < len(held) else None


# Hashes


def hset(keys: Keyspace, args: Args) -> Reply:
    return keys.hset(args[0], args[1:])


def hget(keys: Keyspace, args: Args) -> Reply:
    return keys.hash(args[0]).get(args[1])


def hmget(keys: Keyspace, args: Args) -> Reply:
    held = keys.hash(args[0])
    return [held.get(name) for name in args[1:]]


def hgetall(keys: Keyspace, args: Args) -> Reply:
    return [text for pair in keys.hash(args[0]).items() for text in pair]


# Sorted sets


def zadd(keys: Keyspace, args: Args) -> Reply:
    held = keys.zset(args[0])
    before = len(held)
    held[args[2]] = float(args[1])
    keys.values[args[0]] = held
    return len(held) - before


def zrem(keys: Keyspace, args: Args) -> Reply:
    held = keys.zset(args[0])
    return _without(keys, args[0], held, [member for member in args[1:] if member in held])


def zremrangebyscore(keys: Keyspace, args: Args) -> Reply:
    held = keys.zset(args[0])
    low, high = float(args[1]), float(args[2])
    return _without(keys, args[0], held, [member for member in held if low <= held[member] <= high])


def zrange(keys: Keyspace, args: Args) -> Reply:
    ordered = ZSet(keys.zset(args[0])).ordered()
    stop = int(args[2])
    return ordered[int(args[1]) : None if stop == -1 else stop + 1]


def _without(keys: Keyspace, key: bytes, held: dict[bytes, float], members: Args) -> int:
    for member in members:
        del held[member]
    if not held:
        keys.delete(key)
    return len(members)


# Streams


def xadd(keys: Keyspace, args: Args) -> Reply:
    key, rest = args[0], args[1:]
    if rest[0].upper() == b"MAXLEN":
        # Approximate, so that it need not be done.
        rest = rest[3:]
    return keys.xadd(key, rest[0], rest[1:])


def xlen(keys: Keyspace, args: Args) -> Reply:
    stream = keys.stream(args[0])
    return len(stream.ids) if stream is not None else 0


def xrange(keys: Keyspace, args: Args) -> Reply:
    return keys.xrange(args[0], args[1], int(args[4]) if len(args) > 4 else None)


def xrevrange(keys: Keyspace, args: Args) -> Reply:
    """From the last entry, with `COUNT`."""
    assert args[1:4] == [b"+", b"-", b"COUNT"]
    return keys.xrange(args[0], b"-", None)[: -int(args[4]) - 1 : -1]


def xread(keys: Keyspace, args: Args) -> Reply:
    """One stream, with `COUNT` and `BLOCK`. None where there is nothing after the id."""
    options = [option.upper() for option in args]
    key, after = args[options.index(b"STREAMS") + 1 :]
    limit = int(args[options.index(b"COUNT") + 1])
    entries = keys.xrange(key, b"(" + after, limit)
    return [[key, entries]] if entries else None


def xinfo(keys: Keyspace, args: Args) -> Reply:
    """Of the facts those that anybody asks for."""
    stream = _stream(keys, args[1])
    if args[0].upper() == b"GROUPS":
        return [
            [b"name", name, b"last-delivered-id", b"%d-%d" % last]
            for name, last in sorted(stream.groups.items())
        ]
    return [b"length", len(stream.ids), b"last-generated-id", b"%d-%d" % stream.last]


def xgroup(keys: Keyspace, args: Args) -> Reply:
    action, key, name, entry_id = args[0].upper(), *args[1:4]
    if action == b"CREATE":
        if keys.stream(key) is None and b"MKSTREAM" in args[4:]:
            keys.values[key] = Stream()
        stream = _stream(keys, key)
        if name in stream.groups:
            raise ServerError("BUSYGROUP Consumer Group name already exists")
    else:
        stream = _stream(keys, key, "The XGROUP subcommand requires the key to exist")
        if name not in stream.groups:
            raise ServerError(f"NOGROUP No such consumer group {name!r}")
    stream.groups[name] = parse_id(entry_id, 0)
    return b"OK"


def _stream(keys: Keyspace, key: bytes, missing: str = "no such key") -> Stream:
    stream = keys.stream(key)
    if stream is None:
        raise ServerError(f"ERR {missing}")
    return stream


COMMANDS: dict[bytes, Callable[[Keyspace, Args], Any]] = {
    b"GET": get,
    b"SET": set_,
    b"DEL": delete,
    b"UNLINK": delete,
    b"EXISTS": exists,
    b"INCR": incr,
    b"PEXPIRE": pexpire,
    b"KEYS": keys_,
    b"PTTL": pttl,
    b"TIME": time,
    b"TYPE": type_,
    b"GETRANGE": getrange,
    b"RPUSH": rpush,
    b"LLEN": llen,
    b"LRANGE": lrange,
    b"LINDEX": lindex,
    b"HSET": hset,
    b"HGET": hget,
    b"HMGET": hmget,
    b"HGETALL": hgetall,
    b"ZADD": zadd,
    b"ZREM": zrem,
    b"ZREMRANGEBYSCORE": zremrangebyscore,
    b"ZRANGE": zrange,
    b"XADD": xadd,
    b"XLEN": xlen,
    b"XRANGE": xrange,
    b"XREVRANGE": xrevrange,
    b"XREAD": xread,
    b"XINFO": xinfo,
    b"XGROUP": xgroup,
}
