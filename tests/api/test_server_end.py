"""The server's end: what was taken is answered, and nobody can hold it up."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from matchbox_tui.api import server as module
from tests.api.raw import GET, ORDER, head, order, raw
from tests.api.serving import Api, serving
from tests.waiting import eventually

UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
)


@pytest.fixture
async def api(url: str, prefix: str) -> AsyncIterator[Api]:
    async with serving(url, prefix) as served:
        yield served


@pytest.fixture(autouse=True)
def quick_and_quiet(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Iterator[None]:
    monkeypatch.setattr(module, "DRAIN_SECONDS", 0.5)
    caplog.set_level(logging.INFO)
    yield
    # Those of the test itself: by now `caplog.records` are those of its end.
    records = caplog.get_records("call")
    assert [record for record in records if record.name.startswith("uvicorn")] == []
    assert [record for record in records if record.levelno >= logging.ERROR] == []


async def ended(api: Api) -> None:
    """Waits until the server has ended, and looks at what it leaves."""
    assert api.running is not None
    await api.running
    assert not api.server.server_state.connections
    assert not api.server.server_state.tasks


async def test_idle_clients_are_let_go_at_once(api: Api) -> None:
    async with raw(api.port) as silent, raw(api.port) as kept, raw(api.port) as half:
        await kept.send(GET)
        assert (await kept.answer()).status == 200
        await half.send(GET[:10])
        await api.get("/health")
        api.server.stop()
        for connection in (silent, kept, half):
            assert await connection.closed() == b""
        await ended(api)


async def test_requests_under_way_are_answered(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = api.gateway.client.submit
    go_on = asyncio.Event()

    async def held_up(commands: object) -> list[int]:
        await go_on.wait()
        return await submit(commands)  # type: ignore[arg-type]

    monkeypatch.setattr(api.gateway.client, "submit", held_up)
    async with raw(api.port) as first, raw(api.port) as second:
        await first.send(order())
        await second.send(order() + order())
        await eventually(lambda: _tasks(api), lambda count: count == 2)
        api.server.stop()

        async def refused() -> bool:
            try:
                async with raw(api.port):
                    return False
            except OSError:
                return True

        await eventually(refused)
        go_on.set()
        answer = await first.answer()
        assert (answer.status, answer.closes) == (201, True)
        assert await first.closed() == b""
        # What was asked for behind it was taken as well.
        assert (await second.answer()).status == 201
        assert (await second.answer()).status == 201
        assert await second.closed() == b""
    await ended(api)


async def _tasks(api: Api) -> int:
    return len(api.server.server_state.tasks)


async def test_a_body_that_comes_meanwhile_is_taken(api: Api) -> None:
    async with raw(api.port) as connection:
        await connection.send(order()[: -len(ORDER)])
        await eventually(lambda: _tasks(api), lambda count: count == 1)
        api.server.stop()
        await asyncio.sleep(0.2)
        await connection.send(ORDER)
        answer = await connection.answer()
        assert (answer.status, answer.closes) == (201, True)
    await ended(api)


async def test_clients_that_hold_it_up_are_cut_off(api: Api) -> None:
    async with contextlib.AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(raw(api.port)) for _ in range(10)]
        for connection in slow[:5]:
            await connection.send(order()[:-3])
        for connection in slow[5:]:
            await connection.send(head("GET", "/docs") * 2000)
            connection._reader._transport.pause_reading()  # type: ignore[attr-defined]
        await eventually(lambda: _tasks(api), lambda count: count >= 5)
        api.server.stop()
        await ended(api)


async def test_a_request_that_never_ends_is_broken_off(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_off = asyncio.Event()

    async def for_ever(commands: object) -> list[int]:
        try:
            await asyncio.Event().wait()
        finally:
            broken_off.set()
        return []

    monkeypatch.setattr(api.gateway, "place", for_ever)
    async with raw(api.port) as connection:
        await connection.send(order())
        await eventually(lambda: _tasks(api), lambda count: count == 1)
        api.server.stop()
        await ended(api)
        assert broken_off.is_set()
