"""Who asks for what can't be had is told so at the handshake, by status and field."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from websockets.exceptions import InvalidStatus

from matchbox_tui.api import FeedSettings
from tests.api.feeds.trading import pairs, trade
from tests.api.feeds.watching import Served, heard, serving_feeds, silent
from tests.api.serving import Api
from tests.node.venue import Venue, buy, sell
from tests.waiting import PATIENCE

UPGRADE = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
KEY = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
VERSION = "Sec-WebSocket-Version: 13\r\n"


async def refused(served: Served, path: str, **options: object) -> tuple[int, str]:
    """The status of a handshake that must fail, and its words."""
    with pytest.raises(InvalidStatus) as failure:
        async with served.watch(path, **options):
            pass
    response = failure.value.response
    assert response.headers["content-type"] == "application/json"
    return response.status_code, json.loads(response.body)["error"]


async def raw(served: Served, request: str) -> tuple[int, str]:
    """The answer to a request that is written by hand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        writer.write(request.encode())
        async with asyncio.timeout(PATIENCE):
            head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    finally:
        writer.close()
    return int(head.split()[1]), json.loads(body)["error"]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/ws?market=SNOW", 422, "market: 'SNOW' is unknown"),
        ("/ws/book?market=", 422, "market: '' is unknown"),
        ("/ws?after=", 422, "after: use a trade_id"),
        ("/ws?after=5", 422, "after: use a trade_id"),
        ("/ws?after=5-0x", 422, "after: use a trade_id"),
        ("/ws?after=-5-0", 422, "after: use a trade_id"),
        ("/ws?after=" + "9" * 17 + "-0", 422, "after: use a trade_id"),
        ("/ws?after=%D9%A5-0", 422, "after: use a trade_id"),
        ("/ws?after=1-0&after=2-0", 422, "after: give it once"),
        ("/ws?trader=ann", 422, "'trader' is unknown here: use market, after"),
        ("/ws/book?after=1-0", 422, "'after' is unknown here: use market"),
        ("/ws/orders", 422, "trader: say whose orders"),
        ("/ws/orders?trader=" + "x" * 65, 422, "trader: a name has at most 64"),
        ("/ws?market=%ff", 422, "the query can't be read"),
        ("/ws?" + "&".join(["market=MAIN"] * 20), 422, "the query can't be read"),
        ("/wss", 404, "nothing is at '/wss': use /ws, /ws/book, /ws/orders"),
        ("/", 404, "nothing is at '/'"),
        ("/health", 404, "nothing is at '/health'"),
    ],
)
async def test_a_target_that_is_none(served: Served, path: str, status: int, words: str) -> None:
    seen, said = await refused(served, path)
    assert seen == status
    assert words in said
    await served.clients(0)


@pytest.mark.parametrize(
    ("request_head", "status", "words"),
    [
        (f"GET /ws HTTP/1.1\r\nHost: x\r\n{UPGRADE}{VERSION}\r\n", 400, "Sec-WebSocket-Key"),
        (f"GET /ws HTTP/1.1\r\nHost: x\r\n{UPGRADE}{KEY}\r\n", 400, "Sec-WebSocket-Version"),
        (
            f"GET /ws HTTP/1.1\r\nHost: x\r\n{UPGRADE}{KEY}Sec-WebSocket-Version: 8\r\n\r\n",
            *(400, "Sec-WebSocket-Version"),
        ),
        (
            f"GET /ws HTTP/1.1\r\nHost: x\r\n{UPGRADE}Sec-WebSocket-Key: short\r\n{VERSION}\r\n",
            *(400, "Sec-WebSocket-Key"),
        ),
        (f"POST /ws HTTP/1.1\r\nHost: x\r\n{UPGRADE}{KEY}{VERSION}\r\n", 405, "handshake"),
    ],
)
async def test_a_handshake_that_is_none(
    served: Served, request_head: str, status: int, words: str
) -> None:
    seen, said = await raw(served, request_head)
    assert seen == status
    assert words in said


@pytest.fixture
async def guarded(led: Venue) -> AsyncIterator[Served]:
    async with serving_feeds(led.url, led.prefix, FeedSettings(token="s3cret")) as feeds:
        yield feeds


@pytest.mark.parametrize("header", [None, "Bearer wrong", "s3cret", "Basic s3cret", "Bearer \xff"])
@pytest.mark.parametrize("path", ["/ws", "/ws/book", "/ws/orders?trader=ann", "/nowhere"])
async def test_without_the_token(guarded: Served, path: str, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    status, said = await refused(guarded, path, additional_headers=headers)
    assert status == 401
    assert "Authorization: Bearer" in said


async def test_with_two_tokens(guarded: Served) -> None:
    """Which of them another would look at is not for us to guess."""
    header = "Authorization: Bearer s3cret\r\n"
    request = f"GET /ws HTTP/1.1\r\nHost: x\r\n{UPGRADE}{KEY}{VERSION}{header}{header}\r\n"
    assert (await raw(guarded, request))[0] == 401


async def test_with_the_token(led: Venue, guarded: Served) -> None:
    headers = {"Authorization": "Bearer s3cret"}
    async with guarded.watch("/ws", additional_headers=headers) as watcher:
        await led.client.submit([sell(50), buy(50)])
        assert (await heard(watcher, 1))[0]["price"] == 50


async def test_more_clients_than_may_be(led: Venue) -> None:
    async with serving_feeds(led.url, led.prefix, FeedSettings(connections=2)) as served:
        async with served.watch(), served.watch("/ws/book"):
            await served.clients(2)
            status, said = await refused(served, "/ws")
            assert status == 503
            assert "too many connections" in said
        await served.clients(0)
        async with served.watch():
            await served.clients(1)


async def test_an_instance_that_has_yet_to_read_the_journal(led: Venue) -> None:
    """To whoever came now, the past would look like news."""
    await trade(led, pairs(3))
    async with serving_feeds(led.url, led.prefix, ready=False) as served:
        status, said = await refused(served, "/ws")
        assert status == 503
        assert "still reading" in said
        await served.begin()
        async with served.watch() as watcher:
            assert await silent(watcher)


@pytest.mark.parametrize("path", ["/ws", "/ws/book?market=MAIN", "/ws/orders?trader=ann"])
async def test_a_plain_request_for_a_feed_is_told_that_it_is_a_websocket(
    api: Api, path: str
) -> None:
    answer = await api.http.get(path)
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")
    assert "this is a WebSocket" in answer.json()["error"]
    assert (await api.http.post(path, json={})).status_code == 405
    assert "/ws" not in (await api.get("/docs/openapi.json"))["paths"]
