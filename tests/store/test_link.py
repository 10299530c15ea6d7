"""A link says what is known: nothing was sent, or it may have been; and it never sends twice."""

import asyncio
from pathlib import Path

import pytest

from matchbox_tui.store import (
    Client,
    InDoubt,
    Keys,
    Link,
    Outcome,
    Refused,
    Replica,
    Server,
    Store,
    Unreachable,
)
from matchbox_tui.store.line import Line
from tests.servers import OwnServer, Proxy, listening
from tests.store.build import LEASE, buy, elected, match, put, queued
from tests.waiting import eventually


async def test_scripts_are_loaded_again_after_a_flush(
    client: Client, store: Store, link: Link, keys: Keys
) -> None:
    assert await client.submit([buy()]) == [1]
    await elected(store)
    replica = Replica()
    assert await store.commit(match(await store.peek(1), replica, 1), LEASE, 9) == (Outcome.OK, [])
    await link.call("SCRIPT", "FLUSH")
    assert await client.submit([buy()]) == [2]
    commit = match(await store.peek(1), replica, 1)
    await link.call("SCRIPT", "FLUSH")
    assert await store.commit(commit, LEASE, 9) == (Outcome.OK, [])
    await link.call("SCRIPT", "FLUSH")
    assert await store.renew(1, LEASE)
    assert await link.call("LLEN", keys.queue) == 0


async def test_a_link_finds_a_restarted_server_by_itself(tmp_path: Path) -> None:
    with OwnServer(tmp_path) as server:
        client = await Client.connect(server.url)
        assert await client.submit([buy()]) == [1]
        server.stop()
        with pytest.raises((Unreachable, InDoubt)):
            await client.submit([buy()])
        server.start()
        assert await client.submit([buy()]) == [2]
        await client.close()


async def test_a_server_that_went_away_since_was_sent_nothing(tmp_path: Path) -> None:
    with OwnServer(tmp_path) as server:
        client = await Client.connect(server.url)
        await client.submit([buy()])
        server.stop()
        await _news()
        with pytest.raises(Unreachable, match="can't reach a server at unix://"):
            await client.submit([buy()])
        await client.close()


async def test_a_server_restarted_between_two_calls_puts_nothing_in_doubt(tmp_path: Path) -> None:
    with OwnServer(tmp_path) as server:
        client = await Client.connect(server.url)
        await client.submit([buy()])
        server.stop()
        server.start()
        await _news()
        assert await client.submit([buy()]) == [2]
        await client.close()


async def test_a_submit_whose_reply_is_lost_is_in_doubt_and_not_repeated(
    client: Client, url: str, prefix: str, link: Link, keys: Keys
) -> None:
    await client.submit([buy()])
    async with Proxy(Path(url.removeprefix("unix://"))).run() as proxy:
        through = await Client.connect(proxy.url, prefix)
        proxy.eat_reply_to = b"EVALSHA"
        with pytest.raises(InDoubt, match="lost the server"):
            await through.submit([buy(42)])
        assert proxy.eaten == 1
        assert [order.price for order in await queued(link, keys)] == [50, 42]
        assert await through.submit([buy(43)]) == [3]
        assert [order.price for order in await queued(link, keys)] == [50, 42, 43]
        await through.close()


async def test_a_retry_with_a_client_order_id_after_a_lost_reply_is_safe(
    client: Client, url: str, prefix: str, link: Link, keys: Keys
) -> None:
    await client.submit([buy()])
    named = buy(42, trader="ada", client_order_id="mine")
    async with Proxy(Path(url.removeprefix("unix://"))).run() as proxy:
        through = await Client.connect(proxy.url, prefix)
        proxy.eat_reply_to = b"EVALSHA"
        with pytest.raises(InDoubt):
            await through.submit([named])
        assert await through.submit([named]) == [-2]
        await through.close()
    assert len(await queued(link, keys)) == 2


async def test_a_commit_whose_reply_is_lost_is_in_once(
    store: Store, url: str, link: Link, keys: Keys
) -> None:
    await elected(store)
    elements = await put(link, keys, buy(order_id=1), buy(order_id=2))
    replica = Replica()
    await store.commit(match(elements[:1], replica, 1), LEASE, 9)
    commit = match(elements[1:], replica, 1)
    async with Proxy(Path(url.removeprefix("unix://"))).run() as proxy:
        through = Store(Server(proxy.url), keys, "a")
        proxy.eat_reply_to = b"EVALSHA"
        with pytest.raises(InDoubt):
            await through.commit(commit, LEASE, 9)
        assert await store.tip() == commit.after
        assert (await through.commit(commit, LEASE, 9))[0] is Outcome.DUP
        await through.close()
    assert [entry.seq for entry in await store.read(0, 9)] == [1, 2]


async def test_a_server_that_says_nothing_is_in_doubt_within_the_timeout() -> None:
    async def greet_then_fall_silent(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(1 << 16)
        writer.write(b"+OK\r\n")
        await reader.read()

    async with listening(greet_then_fall_silent) as port:
        link = Server(f"redis://127.0.0.1:{port}", timeout_s=0.1).link()
        with pytest.raises(InDoubt, match="no answer in time"):
            await link.call("PING")
        await link.close()


async def test_a_cancelled_call_does_not_answer_the_next_one(link: Link, keys: Keys) -> None:
    await link.call("SET", keys.epoch, "right")
    waiting = asyncio.ensure_future(link.call("BLPOP", keys.queue, 0, timeout_s=60))
    connection = await _link_id(link, waiting)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await link.call("GET", keys.epoch) == b"right"
    assert await link.call("CLIENT", "ID") != connection


async def _news() -> None:
    """Lets the loop hear what has happened to its connections."""
    for _ in range(5):
        await asyncio.sleep(0)


async def _link_id(link: Link, waiting: "asyncio.Future[object]") -> int:
    """The id of the link's connection, once the call under way has gone out."""
    other = Server(link._server.url).link("matchbox-look")

    async def blocked() -> bytes:
        reply: bytes = await other.call("CLIENT", "LIST")
        return next((line for line in reply.splitlines() if b"cmd=blpop" in line), b"")

    line = await eventually(blocked)
    await other.close()
    assert not waiting.done()
    return int(line.split()[0].removeprefix(b"id="))


@pytest.mark.parametrize("connected", [True, False])
async def test_a_call_ends_whenever_it_is_cancelled(
    link: Link, keys: Keys, connected: bool
) -> None:
    for steps in range(30):
        if connected:
            await link.call("PING")
        else:
            await link.close()
        waiting = asyncio.ensure_future(link.call("BLPOP", keys.queue, 0, timeout_s=60))
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting.cancel()
        done, _ = await asyncio.wait([waiting], timeout=5)
        assert done, f"a cancel after {steps} steps was lost"
        assert waiting.cancelled()


async def test_callers_of_one_link_wait_for_one_another(link: Link) -> None:
    replies = await asyncio.gather(*(link.call("ECHO", f"{n}") for n in range(50)))
    assert replies == [str(n).encode() for n in range(50)]


async def test_a_refusal_among_several_calls_is_one_of_the_replies(link: Link, keys: Keys) -> None:
    await link.call("SET", keys.epoch, "x")
    one, refused, three = await link.calls(
        [("GET", keys.epoch), ("INCR", keys.epoch), ("GET", keys.epoch)]
    )
    assert (one, three) == (b"x", b"x")
    assert isinstance(refused, Refused)
    with pytest.raises(Refused, match=f"{keys.epoch} holds a value of type text"):
        await link.call("INCR", keys.epoch)


@pytest.mark.parametrize("strange", [AttributeError, TypeError, RuntimeError, OSError])
async def test_whatever_a_dead_connection_raises_is_in_doubt(
    link: Link, monkeypatch: pytest.MonkeyPatch, strange: type[Exception]
) -> None:
    assert await link.call("PING") == b"PONG"

    async def fail(*_: object, **__: object) -> None:
        raise strange("'NoneType' object has no\nattribute 'read'")

    with monkeypatch.context() as patch:
        patch.setattr(Line, "ask", fail)
        with pytest.raises(InDoubt) as caught:
            await link.call("PING")
    assert "\n" not in str(caught.value)
    assert await link.call("PING") == b"PONG"


async def test_a_link_closed_twice_opens_again(link: Link) -> None:
    await link.close()
    await link.close()
    assert await link.call("PING") == b"PONG"
