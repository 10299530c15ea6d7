"""Clients that take their time, send without end, or do not read: each ends, and harms nobody."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest

from matchbox_tui.api import Limits
from tests.api.raw import GET, ORDER, Raw, head, order, raw
from tests.api.serving import Api, serving
from tests.waiting import eventually

QUICK = Limits(
    head_seconds=0.3, body_seconds=0.3, idle_seconds=0.3, stall_seconds=0.3, linger_seconds=0.3
)
JSON = ("Content-Type: application/json",)


@pytest.fixture
async def api(url: str, prefix: str) -> AsyncIterator[Api]:
    async with serving(url, prefix, QUICK) as served:
        yield served


async def nothing_is_left(api: Api) -> None:
    """No connection but that of the test's own client, and no request under way."""
    state = api.server.server_state

    async def left() -> tuple[int, int]:
        return len(state.connections), len(state.tasks)

    await eventually(left, lambda seen: seen[0] <= 1 and seen[1] == 0)


async def test_a_client_that_never_sends_is_sent_away_without_a_word(api: Api) -> None:
    async with raw(api.port) as connection:
        assert await connection.closed() == b""
    assert not api.gateway.meter.refusals


async def test_a_client_that_sends_no_more_is_sent_away_without_a_word(api: Api) -> None:
    async with raw(api.port) as connection:
        await connection.send(GET)
        assert (await connection.answer()).status == 200
        assert await connection.closed() == b""
    await nothing_is_left(api)


@pytest.mark.parametrize("start", [b"G", GET[:-2], b"\r\n"])
async def test_a_head_that_does_not_end(api: Api, start: bytes) -> None:
    async with raw(api.port) as connection:
        await connection.send(start)
        answer = await connection.answer()
        assert (answer.status, answer.closes) == (408, True)
        assert "head took longer than 0.3 s" in json.loads(answer.body)["error"]
        assert await connection.closed() == b""
    await nothing_is_left(api)


async def test_a_head_that_drips_is_no_longer_in_time(api: Api) -> None:
    async with raw(api.port) as connection:
        dripping = asyncio.ensure_future(drip(connection, b"GET /health HTTP/1.1\r\nX: " * 50))
        assert (await connection.answer()).status == 408
        dripping.cancel()
    await nothing_is_left(api)


async def drip(connection: Raw, data: bytes) -> None:
    for byte in data:
        await connection.send(bytes((byte,)))
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    "request_head",
    [
        order()[: -len(ORDER)],
        head("POST", "/orders", *JSON, "Transfer-Encoding: chunked"),
    ],
    ids=["length", "chunked"],
)
async def test_a_body_that_does_not_come(api: Api, request_head: bytes) -> None:
    async with raw(api.port) as connection:
        await connection.send(request_head)
        answer = await connection.answer()
        assert (answer.status, answer.closes) == (408, True)
        assert "body took longer than 0.3 s" in json.loads(answer.body)["error"]
        assert await connection.closed() == b""
    await nothing_is_left(api)


async def test_head_and_body_have_a_time_each(url: str, prefix: str) -> None:
    limits = msgspec.structs.replace(QUICK, head_seconds=0.4, body_seconds=30)
    async with serving(url, prefix, limits) as api, raw(api.port) as connection:
        request = order()
        await connection.send(request[:20])
        await asyncio.sleep(0.05)
        await connection.send(request[20 : -len(ORDER)])
        await asyncio.sleep(0.6)
        await connection.send(ORDER)
        assert (await connection.answer()).status == 201


async def test_a_request_that_waits_for_its_answer_is_not_late(
    url: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(url, prefix, QUICK) as api:
        submit = api.gateway.client.submit

        async def slow(commands: object) -> list[int]:
            await asyncio.sleep(0.8)
            return await submit(commands)  # type: ignore[arg-type]

        monkeypatch.setattr(api.gateway.client, "submit", slow)
        async with raw(api.port) as connection:
            await connection.send(order())
            assert (await connection.answer()).status == 201


async def test_a_client_that_does_not_read_is_cut_off(api: Api) -> None:
    async with raw(api.port) as connection:
        sock = connection._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection._reader._transport.pause_reading()  # type: ignore[attr-defined]
        flood = asyncio.ensure_future(connection.send(head("GET", "/docs") * 20_000))
        state = api.server.server_state

        async def cut() -> int:
            return len(state.connections)

        await eventually(cut, lambda seen: seen > 0)
        await eventually(cut, lambda seen: seen == 0)
        flood.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await flood
    await nothing_is_left(api)
    assert await api.get("/health") == {"status": "ok"}


# Bodies


CHUNK = b"10000\r\n" + b" " * 65536 + b"\r\n"


@pytest.mark.parametrize(
    ("request_head", "piece"),
    [
        (head("POST", "/orders", *JSON, f"Content-Length: {1 << 30}"), b" " * 65536),
        (head("POST", "/orders", *JSON, "Transfer-Encoding: chunked"), CHUNK),
        (head("POST", "/orders/batch", *JSON, "Transfer-Encoding: chunked"), CHUNK),
        (head("GET", "/health", f"Content-Length: {1 << 30}"), b" " * 65536),
        (head("GET", "/health", "Transfer-Encoding: chunked"), CHUNK),
        (head("POST", "/nowhere", *JSON, f"Content-Length: {1 << 30}"), b" " * 65536),
    ],
    ids=["length", "chunked", "batch", "get", "get-chunked", "nowhere"],
)
async def test_a_body_of_a_gigabyte_is_answered_and_ended_early(
    api: Api, request_head: bytes, piece: bytes
) -> None:
    """The client sees the answer though it goes on sending, and can't send for long."""
    async with raw(api.port) as connection:
        await connection.send(request_head)
        sent = 0

        async def pour() -> None:
            nonlocal sent
            while sent < 1 << 30:
                connection._writer.write(piece)
                await connection._writer.drain()
                sent += len(piece)

        pouring = asyncio.ensure_future(pour())
        answer = await connection.answer()
        assert answer.closes
        assert answer.status == (
            413 if b"/orders" in request_head else 404 if b"/nowhere" in request_head else 200
        )
        with pytest.raises(ConnectionError):
            await pouring
        assert sent < 64 << 20
    await nothing_is_left(api)
    assert await api.get("/health") == {"status": "ok"}


async def test_a_body_as_long_as_no_route_takes_is_refused_whatever_the_route(api: Api) -> None:
    async with raw(api.port) as connection:
        await connection.send(head("POST", "/orders", *JSON, "Transfer-Encoding: chunked"))
        tiny = b"1;" + b"x" * 8000 + b"\r\n \r\n"
        await connection.send(tiny * 1000)
        answer = await connection.answer()
        assert (answer.status, answer.closes) == (413, True)


@pytest.mark.parametrize("path", ["/nowhere", "/health", "/orders/7"])
async def test_after_an_early_answer_a_short_body_is_passed_over(api: Api, path: str) -> None:
    async with raw(api.port) as connection:
        await connection.send(head("POST", path, "Content-Length: 10"))
        assert (await connection.answer()).status in (404, 405)
        await connection.send(b"0123456789" + GET)
        assert (await connection.answer()).status == 200


async def test_after_an_early_answer_a_short_body_has_its_time_too(api: Api) -> None:
    async with raw(api.port) as connection:
        await connection.send(head("POST", "/nowhere", "Content-Length: 10"))
        assert (await connection.answer()).status == 404
        assert await connection.closed() == b""
    await nothing_is_left(api)


@pytest.mark.parametrize("split", [1, 7, 4096, 65536])
async def test_a_body_arrives_however_it_is_cut(api: Api, split: int) -> None:
    body = json.dumps({"side": "buy", "price": 50, "qty": 1, "trader": "ann"}).encode()
    body += b" " * (500 if split < 4096 else 60_000)
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(part), part)
        for part in (body[at : at + split] for at in range(0, len(body), split))
    )
    async with raw(api.port) as connection:
        await connection.send(
            head("POST", "/orders", *JSON, "Transfer-Encoding: chunked") + chunks + b"0\r\n\r\n"
        )
        assert (await connection.answer()).status == 201
        await connection.send(order(body=body) + GET)
        assert (await connection.answer()).status == 201
        assert (await connection.answer()).status == 200


async def test_a_client_that_leaves_in_the_middle(api: Api) -> None:
    for part in (GET[:10], order()[:-5], head("POST", "/orders", *JSON, "Content-Length: 9999")):
        async with raw(api.port) as connection:
            await connection.send(part)
        async with raw(api.port) as connection:
            await connection.send(part)
            connection.half_close()
            assert await connection.closed() == b""
    await nothing_is_left(api)
    assert not api.gateway.meter.refusals


# Many of them


async def test_more_connections_than_there_may_be(url: str, prefix: str) -> None:
    limits = Limits(connections=5)
    async with serving(url, prefix, limits) as api, contextlib.AsyncExitStack() as stack:
        those = [await stack.enter_async_context(raw(api.port)) for _ in range(5)]
        for connection in those:
            await connection.send(GET)
            assert (await connection.answer()).status == 200
        async with raw(api.port) as late:
            answer = await late.answer()
            assert (answer.status, answer.closes) == (503, True)
            assert answer.headers["retry-after"] == "1"
            assert await late.closed() == b""
        await those[0].send(GET)
        assert (await those[0].answer()).status == 200
        await those[0].close()

        async def let_in() -> int:
            async with raw(api.port) as connection:
                await connection.send(GET)
                return (await connection.answer()).status

        await eventually(let_in, lambda status: status == 200)


async def test_hundreds_of_idle_clients_leave_others_alone(url: str, prefix: str) -> None:
    async with serving(url, prefix) as api, contextlib.AsyncExitStack() as stack:
        for number in range(500):
            connection = await stack.enter_async_context(raw(api.port))
            if number % 2:
                await connection.send(GET[:5])
        assert await api.place() == 1
        assert (await api.get("/health")) == {"status": "ok"}
        assert api.gateway.meter.connections >= 500
    assert api.gateway.meter.connections == 0
