"""Bytes that are no request, or hardly one: each gets a clear answer, and others notice nothing."""

import json
import logging
import os
from collections.abc import Iterator

import pytest

from tests.api.raw import GET, ORDER, head, order, raw
from tests.api.serving import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")

POST = ("POST", "/orders", "Content-Type: application/json")


@pytest.fixture(autouse=True)
def nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client sends is worth a line in the log, let alone a traceback."""
    caplog.set_level(logging.WARNING)
    yield
    assert caplog.get_records("call") == []


def padded(size: int) -> bytes:
    """A request whose head has so many bytes."""
    bare = head("GET", "/health", "X: ")
    return head("GET", "/health", "X: " + "a" * (size - len(bare)))


REFUSED = {
    "random": (b"\x80\x81\x82\x00" * 50 + b"\r\n\r\n", 400),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 200, 400),
    "http-0.9": (b"GET /health\r\n\r\n", 400),
    "http-2": (b"GET /health HTTP/2.0\r\n\r\n", 505),
    "http-2-preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "method": (b"FOO / HTTP/1.1\r\n\r\n", 400),
    "connect": (b"CONNECT x:80 HTTP/1.1\r\n\r\n", 405),
    "bare-newlines": (b"GET /health HTTP/1.1\nHost: x\n\n", 400),
    "folded-header": (head("GET", "/health", "A: b\r\n c"), 400),
    "nul-in-header": (head("GET", "/health", "A: b\0c"), 400),
    "nul-in-path": (head("GET", "/\0"), 400),
    "path-not-ascii": (b"GET /\xff\xfe HTTP/1.1\r\n\r\n", 400),
    "query-not-ascii": (b"GET /orders?trader=\xc3\xa4 HTTP/1.1\r\n\r\n", 400),
    "no-path": (head("GET", "*"), 400),
    "other-scheme": (head("GET", "ftp://x/health"), 400),
    "broken-host": (head("GET", "http://[::1/health"), 400),
    "two-lengths": (head(*POST, "Content-Length: 3", "Content-Length: 3") + b"abc", 400),
    "negative-length": (head(*POST, "Content-Length: -3") + b"abc", 400),
    "length-no-number": (head(*POST, "Content-Length: 0x3") + b"abc", 400),
    "length-too-long": (head(*POST, "Content-Length: " + "9" * 30) + b"abc", 400),
    "length-and-chunked": (
        head(*POST, "Content-Length: 3", "Transfer-Encoding: chunked") + b"abc",
        400,
    ),
    "unknown-encoding": (head(*POST, "Transfer-Encoding: gzip") + b"abc", 400),
    "bad-chunk": (head(*POST, "Transfer-Encoding: chunked") + b"zz\r\n", 400),
    "huge-chunk": (head(*POST, "Transfer-Encoding: chunked") + b"f" * 20 + b"\r\n", 400),
    "chunk-extension": (head(*POST, "Transfer-Encoding: chunked") + b"1;" + b"x" * 100_000, 400),
    "endless-trailers": (
        head(*POST, "Transfer-Encoding: chunked") + b"1\r\n{\r\n0\r\n" + b"X: y\r\n" * 20_000,
        400,
    ),
    "long-url": (head("GET", "/" + "a" * 9000), 414),
    "endless-url": (b"GET /" + b"a" * 1_000_000, 414),
    "many-headers": (head("GET", "/health", *(f"A{n}: b" for n in range(100))), 431),
    "long-head": (padded(40 * 1024), 431),
    "endless-header": (head("GET", "/health", "X: ")[:-4] + b"a" * 1_000_000, 431),
    "endless-header-name": (b"GET / HTTP/1.1\r\n" + b"a" * 1_000_000, 431),
    "only-newlines": (b"\r\n" * 100_000, 431),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_no_request_is_refused_and_the_connection_closed(
    shared_api: Api, case: str
) -> None:
    data, status = REFUSED[case]
    before = shared_api.gateway.meter.refusals[status]
    async with raw(shared_api.port) as connection:
        await connection.send(data)
        answer = await connection.answer()
        assert answer.status == status
        assert answer.closes
        assert answer.headers["content-type"] == "application/json"
        assert json.loads(answer.body)["error"]
        # It is closed from the server's side, and nothing else is said.
        assert await connection.closed() == b""
    assert shared_api.gateway.meter.refusals[status] == before + 1
    assert await shared_api.get("/health") == {"status": "ok"}


ODD = {
    "head-of-32k": (padded(32 * 1024), 200),
    "99-headers": (head("GET", "/health", *(f"A{n}: b" for n in range(99))), 200),
    "url-of-8k": (head("GET", "/" + "a" * 8000), 404),
    "newlines-before": (b"\r\n\r\n" + GET, 200),
    "http-1.0": (b"GET /health HTTP/1.0\r\n\r\n", 200),
    "no-host": (b"GET /health HTTP/1.1\r\n\r\n", 200),
    "absolute": (head("GET", "http://somewhere/health"), 200),
    "absolute-no-path": (head("GET", "http://somewhere"), 404),
    "absolute-query": (head("GET", "http://somewhere?a=b"), 404),
    "path-no-utf8": (head("GET", "/%ff%fe%00%zz"), 404),
    "query-no-utf8": (head("GET", "/orders?trader=%ff%00"), 200),
    "query-surrogate": (head("GET", "/orders?trader=%ed%a0%80"), 200),
    "query-garbage": (head("GET", "/orders?%zz=%&status=%c3"), 422),
    "options": (head("OPTIONS", "/orders"), 204),
    "trace": (head("TRACE", "/health"), 405),
    "propfind": (head("PROPFIND", "/health"), 405),
    "expectation": (head("GET", "/health", "Expect: something"), 200),
    "accept-bytes": (head("GET", "/health", "Accept: \xff\xfe"), 200),
    "token-bytes": (head("GET", "/health", "Authorization: \xff"), 200),
    "control-in-cookie": (head("GET", "/health", "Cookie: a=\x01"), 400),
}


@pytest.mark.parametrize("case", ODD)
async def test_what_is_odd_but_a_request_gets_its_answer(shared_api: Api, case: str) -> None:
    data, status = ODD[case]
    async with raw(shared_api.port) as connection:
        await connection.send(data)
        answer = await connection.answer(head_only=status == 204)
        assert answer.status == status


@pytest.mark.parametrize("path", ["/health", "/orderbook", "/orders"])
async def test_head_is_get_without_the_body(shared_api: Api, path: str) -> None:
    async with raw(shared_api.port) as connection:
        await connection.send(head("HEAD", path) + GET)
        answer = await connection.answer(head_only=True)
        assert answer.status == 200
        assert int(answer.headers["content-length"]) > 0
        # The next thing on the connection is the next answer.
        assert (await connection.answer()).body == b'{"status":"ok"}'


async def test_requests_that_come_in_one_piece_are_answered_in_turn(shared_api: Api) -> None:
    async with raw(shared_api.port) as connection:
        await connection.send(order() + GET + head("GET", "/orderbook") + head("GET", "/nowhere"))
        statuses = [(await connection.answer()).status for _ in range(4)]
        assert statuses == [201, 200, 200, 404]


async def test_a_thousand_requests_in_one_piece(shared_api: Api) -> None:
    async with raw(shared_api.port) as connection:
        await connection.send(GET * 1000)
        for _ in range(1000):
            assert (await connection.answer()).status == 200


async def test_a_client_that_has_said_all_gets_all_answers(shared_api: Api) -> None:
    async with raw(shared_api.port) as connection:
        await connection.send(order() + GET * 300)
        connection.half_close()
        assert (await connection.answer()).status == 201
        for _ in range(300):
            assert (await connection.answer()).status == 200
        assert await connection.closed() == b""


@pytest.mark.parametrize("half_closed", [False, True])
async def test_garbage_after_requests_comes_after_their_answers(
    shared_api: Api, half_closed: bool
) -> None:
    async with raw(shared_api.port) as connection:
        await connection.send(order() + GET + b"garbage\r\n\r\n")
        if half_closed:
            connection.half_close()
        statuses = [(await connection.answer()).status for _ in range(3)]
        assert statuses == [201, 200, 400]
        assert await connection.closed() == b""


async def test_a_request_in_the_smallest_pieces(shared_api: Api) -> None:
    async with raw(shared_api.port) as connection:
        for byte in order():
            await connection.send(bytes((byte,)))
        assert (await connection.answer()).status == 201


@pytest.mark.parametrize("split", [False, True])
async def test_an_upgrade_that_nobody_knows_is_passed_over(shared_api: Api, split: bool) -> None:
    """As some clients ask for HTTP/2 with their first request, whatever it is."""
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    async with raw(shared_api.port) as connection:
        request = order(*upgrade)
        if split:
            await connection.send(request[: -len(ORDER)])
            await connection.send(request[-len(ORDER) :])
        else:
            await connection.send(request)
        assert (await connection.answer()).status == 201
        await connection.send(head("GET", "/health", *upgrade))
        assert (await connection.answer()).body == b'{"status":"ok"}'


async def test_a_body_is_asked_for_where_the_client_waits_to_be_asked(shared_api: Api) -> None:
    async with raw(shared_api.port) as connection:
        await connection.send(order("Expect: 100-continue")[: -len(ORDER)])
        assert (await connection.answer(head_only=True)).status == 100
        await connection.send(ORDER)
        assert (await connection.answer()).status == 201


async def test_a_flood_of_garbage_leaves_others_alone(shared_api: Api) -> None:
    before = shared_api.gateway.meter.refusals[400]
    for _ in range(300):
        async with raw(shared_api.port) as connection:
            await connection.send(os.urandom(30) + b"\r\n\r\n")
            assert (await connection.answer()).status == 400
    assert await shared_api.place() > 0
    assert shared_api.gateway.meter.refusals[400] == before + 300
