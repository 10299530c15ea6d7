"""The proxy loses what it is told to lose, of whom it is told, and passes on the rest untouched."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from matchbox_tui.store import EmbeddedServer, InDoubt, Link, Server, StoreError, Unreachable
from sim.faults.proxy import Proxy, Target, instance
from tests.servers import listening
from tests.waiting import eventually


@pytest.fixture
async def proxy(server: EmbeddedServer, server_dir: Path) -> AsyncIterator[Proxy]:
    async with Proxy(server.directory / "server.sock", server_dir / "proxy.sock") as started:
        yield started


class Links:
    """Links through the proxy, as an instance names them."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._links: list[Link] = []

    def __call__(self, name: str, timeout_s: float = 10) -> Link:
        link = Server(self._proxy.url, timeout_s=timeout_s).link(name)
        self._links.append(link)
        return link

    async def close(self) -> None:
        for link in self._links:
            await link.close()


@pytest.fixture
async def links(proxy: Proxy) -> AsyncIterator[Links]:
    made = Links(proxy)
    yield made
    await made.close()


async def test_it_passes_on_requests_and_replies_of_any_size(links: Links, prefix: str) -> None:
    link = links("matchbox:a:main")
    value = os.urandom(8 << 20)
    assert await link.call("SET", f"{prefix}large", value) == b"OK"
    assert await link.call("GET", f"{prefix}large") == value
    replies = await link.calls([("INCR", f"{prefix}n") for _ in range(1000)])
    assert replies == list(range(1, 1001))


async def test_it_knows_connections_by_their_names(proxy: Proxy, links: Links) -> None:
    for name in ("matchbox:a", "matchbox:a:main", "matchbox:ab:main", "matchbox-traders:submit"):
        await links(name).call("PING")
    assert proxy.names() == [
        "matchbox-traders:submit",
        "matchbox:a",
        "matchbox:a:main",
        "matchbox:ab:main",
    ]
    whole, main = instance("a"), instance("a", "main")
    assert list(map(whole, proxy.names())) == [False, True, True, False]
    assert list(map(main, proxy.names())) == [False, False, True, False]


async def test_a_cut_hits_one_client_and_no_other(proxy: Proxy, links: Links) -> None:
    presence, main, other = links("matchbox:a"), links("matchbox:a:main"), links("matchbox:b")
    for link in (presence, main, other):
        await link.call("PING")
    proxy.cut(instance("a"))
    for link in (presence, main):
        with pytest.raises(StoreError):
            await link.call("PING")
        # A connection that is opened anew is hung up on once it told its name.
        with pytest.raises(Unreachable):
            await link.call("PING")
    assert await other.call("PING") == b"PONG"
    assert proxy.names() == ["matchbox:b"]
    proxy.mend()
    assert await main.call("PING") == b"PONG"


async def test_a_cut_of_everybody_hangs_up_on_everybody(proxy: Proxy, links: Links) -> None:
    link = links("matchbox:a")
    await link.call("PING")
    proxy.cut()
    with pytest.raises(StoreError):
        await link.call("PING")
    for late in (link, links("matchbox:b")):
        with pytest.raises(Unreachable):
            await late.call("PING")
    proxy.mend()
    assert await link.call("PING") == b"PONG"


async def test_the_server_sees_that_a_client_was_cut_off(proxy: Proxy, links: Links) -> None:
    cut, other = links("matchbox:a"), links("matchbox:b")
    number = await cut.call("CLIENT", "ID")
    proxy.cut(instance("a"))

    async def listed() -> bytes:
        found: bytes = await other.call("CLIENT", "LIST", "ID", number)
        return found

    await eventually(listed, lambda found: not found)


async def test_a_cut_that_swallows_leaves_new_connections_without_an_answer(
    proxy: Proxy, links: Links
) -> None:
    link = links("matchbox:a", timeout_s=0.2)
    await link.call("PING")
    proxy.cut(instance("a"), swallow=True)
    with pytest.raises(StoreError):
        await link.call("PING")
    with pytest.raises(Unreachable, match="no answer in time"):
        await link.call("PING")
    patient = links("matchbox:a:main", timeout_s=30)
    asking = asyncio.ensure_future(patient.call("PING"))
    await eventually(_named(proxy, "matchbox:a:main"))
    proxy.mend()
    # What was swallowed is gone; whoever waits for it is told.
    with pytest.raises(Unreachable):
        await asking
    assert await patient.call("PING") == b"PONG"


def _named(proxy: Proxy, name: str) -> Callable[[], Awaitable[bool]]:
    async def named() -> bool:
        return name in proxy.names()

    return named


async def test_in_silence_nobody_is_told_and_what_was_sent_arrives_later_in_order(
    proxy: Proxy, links: Links, link: Link, prefix: str
) -> None:
    hasty, patient = links("matchbox:a", timeout_s=0.2), links("matchbox:a:main")
    for one in (hasty, patient):
        await one.call("PING")
    proxy.silence(instance("a"))
    with pytest.raises(InDoubt):
        await hasty.call("SET", f"{prefix}hasty", "yes")
    pushes = [("RPUSH", f"{prefix}list", number) for number in range(100)]
    asking = asyncio.ensure_future(patient.calls(pushes))
    await asyncio.sleep(0.1)
    assert not asking.done()
    assert await link.call("EXISTS", f"{prefix}list", f"{prefix}hasty") == 0
    proxy.mend()
    assert await asking == list(range(1, 101))
    # Its sender has given up on it long since, and it arrives all the same.
    await eventually(lambda: link.call("GET", f"{prefix}hasty"), lambda value: value == b"yes")


async def test_a_delay_keeps_the_order_also_when_it_ends(
    proxy: Proxy, links: Links, prefix: str
) -> None:
    late, other = links("matchbox:a"), links("matchbox:b")
    await late.call("PING")
    proxy.delay(0.3, instance("a"))
    asking = asyncio.ensure_future(late.call("RPUSH", f"{prefix}list", "first"))
    assert await other.call("LLEN", f"{prefix}list") == 0
    assert await asking == 1
    asking = asyncio.ensure_future(late.calls([("RPUSH", f"{prefix}list", "second"), ("PING",)]))
    await asyncio.sleep(0)
    proxy.mend()
    assert await asking == [2, b"PONG"]
    assert await late.call("LRANGE", f"{prefix}list", 0, -1) == [b"first", b"second"]


async def test_a_lost_reply_is_one_request_that_happened_and_nobody_heard_of(
    proxy: Proxy, links: Links, prefix: str
) -> None:
    name = f"{prefix}counter"
    hit, other = links("matchbox:a:main"), links("matchbox:b:main")
    await hit.call("PING")
    eaten = proxy.lose_reply(instance("a"), name.encode())
    assert await other.call("INCR", name) == 1
    assert await hit.call("PING") == b"PONG"
    assert not eaten.done()
    with pytest.raises(InDoubt):
        await hit.call("INCR", name)
    await eaten
    assert await hit.call("GET", name) == b"2"


async def test_a_marker_is_found_in_two_pieces_and_never_in_an_earlier_request(
    proxy: Proxy, prefix: str
) -> None:
    name = f"{prefix}split"
    reader, writer = await asyncio.open_unix_connection(str(proxy._listen))
    request = b"*2\r\n$4\r\nINCR\r\n$%d\r\n%s\r\n" % (len(name), name.encode())
    writer.write(request)
    assert await reader.readline() == b":1\r\n"
    eaten = proxy.lose_reply(lambda _: True, name.encode())
    writer.write(b"*1\r\n$4\r\nPING\r\n")
    assert await reader.readline() == b"+PONG\r\n"
    assert not eaten.done()
    middle = request.index(name.encode()) + 3
    writer.write(request[:middle])
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.write(request[middle:])
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(4)
    await eaten
    writer.close()


async def test_a_fault_that_is_called_off_hits_nobody(
    proxy: Proxy, links: Links, prefix: str
) -> None:
    link = links("matchbox:a:main")
    proxy.lose_reply(instance("a"), b"PING").cancel()
    proxy.hold(instance("a"), b"PING").caught.cancel()
    assert await link.call("PING") == b"PONG"


async def test_a_held_request_arrives_when_it_is_released(
    proxy: Proxy, links: Links, link: Link, prefix: str
) -> None:
    name = f"{prefix}held"
    caught = links("matchbox:a:main")
    await caught.call("PING")
    held = proxy.hold(instance("a", "main"), name.encode())
    asking = asyncio.ensure_future(caught.call("SET", name, "late"))
    await held.caught
    await link.call("SET", name, "early")
    assert not asking.done()
    held.release()
    assert await held.answer == b"+OK\r\n"
    assert await asking == b"OK"
    assert await link.call("GET", name) == b"late"


async def test_a_held_request_arrives_even_after_its_sender_has_gone(
    proxy: Proxy, links: Links, link: Link, prefix: str
) -> None:
    name = f"{prefix}held"
    caught = links("matchbox:a:main")
    await caught.call("PING")
    held = proxy.hold(instance("a", "main"), name.encode())
    asking = asyncio.ensure_future(caught.call("SET", name, "late"))
    await held.caught
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert await link.call("EXISTS", name) == 0
    held.release()
    assert await held.answer == b"+OK\r\n"
    assert await link.call("GET", name) == b"late"


async def test_replies_are_shown_with_the_name_of_their_connection(
    proxy: Proxy, links: Links
) -> None:
    seen: list[tuple[str, bytes]] = []
    proxy.on_reply = lambda name, data: seen.append((name, data))
    await links("matchbox:a:main").call("ECHO", "hello")
    assert seen[-1] == ("matchbox:a:main", b"$5\r\nhello\r\n")


async def test_a_server_that_is_not_there_is_told_and_one_that_goes_away_too(
    server_dir: Path,
) -> None:
    async def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"SETNAME")

    async with listening(gone) as port:
        targets: list[Target] = [server_dir / "nobody.sock", ("127.0.0.1", port)]
        for target in targets:
            async with Proxy(target, server_dir / "proxy.sock") as proxy:
                link = Server(proxy.url).link("matchbox:a")
                with pytest.raises(Unreachable):
                    await link.call("PING")
                await link.close()


async def test_at_its_end_it_leaves_nothing(server: EmbeddedServer, server_dir: Path) -> None:
    async with Proxy(server.directory / "server.sock", server_dir / "proxy.sock") as proxy:
        link = Server(proxy.url).link("matchbox:a")
        await link.call("PING")
    assert os.listdir(server_dir) == []
    for _ in range(2):
        with pytest.raises(StoreError):
            await link.call("PING")
    await link.close()
