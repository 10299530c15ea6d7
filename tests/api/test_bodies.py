"""A request's body, however it arrives."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from matchbox_tui.api.bodies import MOST_HELD, ClientGone, Room, read_body
from matchbox_tui.api.errors import Refusal
from matchbox_tui.api.routes.orders import BATCH_BYTES
from tests.api.raw import ORDER, head, raw
from tests.api.serving import Api
from tests.waiting import eventually


def arriving(*pieces: bytes, ends: bool = True) -> Callable[[], Awaitable[Any]]:
    """What the server hands over: the pieces, then, unless it `ends`, that the client left."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
    ]
    if ends:
        messages[-1].pop("more_body")
    else:
        messages.append({"type": "http.disconnect"})
    left = iter(messages)

    async def receive() -> Any:
        return next(left)

    return receive


@pytest.mark.parametrize("pieces", [[b"0123456789"], [b"01234", b"56789"], [b"0123456789", b""]])
async def test_a_body_is_read_whole(pieces: list[bytes]) -> None:
    assert await read_body(arriving(*pieces), 10, Room()) == b"0123456789"


@pytest.mark.parametrize(
    "pieces", [[b"0123456789x"], [b"0123456789", b"x"], [b"01234", b"56789x"], [b"x"] * 11]
)
async def test_a_body_that_is_too_long_is_refused(pieces: list[bytes]) -> None:
    with pytest.raises(Refusal) as caught:
        await read_body(arriving(*pieces), 10, Room())
    assert caught.value.status == 413


async def test_what_is_too_long_is_not_waited_for() -> None:
    """Nothing is asked for after the piece that was too much."""
    with pytest.raises(Refusal):
        await read_body(arriving(b"0123456789x", ends=False), 10, Room())


@pytest.mark.parametrize("pieces", [[], [b"012"]])
async def test_a_client_that_leaves_sends_no_body(pieces: list[bytes]) -> None:
    with pytest.raises(ClientGone):
        await read_body(arriving(*pieces, ends=False), 10, Room())


@pytest.mark.parametrize("ends", [True, False])
async def test_what_a_body_held_is_free_again(ends: bool) -> None:
    room = Room(10)
    with contextlib.nullcontext() if ends else pytest.raises(ClientGone):
        await read_body(arriving(b"0123", b"4567", b"89", ends=ends), 10, room)
    assert room.left == 10


async def test_a_body_for_which_there_is_no_room_is_refused() -> None:
    room = Room(7)
    with pytest.raises(Refusal) as caught:
        await read_body(arriving(b"0123", b"4567", b"89"), 10, room)
    assert caught.value.status == 503
    assert room.left == 7


async def test_a_body_that_comes_whole_needs_no_room() -> None:
    assert await read_body(arriving(b"0123456789"), 10, Room(0)) == b"0123456789"


async def test_many_who_send_long_bodies_slowly_do_not_fill_the_memory(api: Api) -> None:
    """As many as there is room for may; the next are told to come again, and all others are
    served. Once those are gone there is room again.
    """
    length = BATCH_BYTES
    slow = head("POST", "/orders/batch", f"Content-Length: {length}") + b" " * (length - 1)
    async with contextlib.AsyncExitStack() as clients:
        sending = [
            await clients.enter_async_context(raw(api.port)) for _ in range(MOST_HELD // length + 8)
        ]
        for client in sending:
            await client.send(slow)
        answers = [asyncio.ensure_future(client.answer()) for client in sending]
        told, _ = await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        answer = told.pop().result()
        assert answer.status == 503
        assert answer.closes
        assert int(answer.headers["retry-after"]) >= 1
        await api.place()
    await asyncio.gather(*answers, return_exceptions=True)

    async def room() -> int:
        async with raw(api.port) as client:
            await client.send(slow)
            await client.send(b"x")
            return (await client.answer()).status

    await eventually(room, lambda status: status == 422)


@pytest.mark.parametrize("kind", [{}, {"Content-Type": ""}, {"Content-Type": "text/plain"}])
async def test_a_page_somewhere_else_can_not_place_orders_through_a_browser(
    api: Api, kind: dict[str, str]
) -> None:
    """What a browser sends for a page without asking the server is refused. For anything else it
    asks first, and is not told that the page may.
    """
    page = {"Origin": "https://page.example"}
    answer = await api.http.post("/orders", content=ORDER, headers=page | kind)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]
    asked = await api.http.options("/orders", headers=page)
    assert not [name for name in asked.headers if name.startswith("access-control")]
    json = {"Content-Type": "application/json"}
    answer = await api.http.post("/orders", content=ORDER, headers=page | json)
    assert answer.status_code == 201


async def test_a_full_batch_may_write_whole_numbers_as_fractions(api: Api) -> None:
    order: dict[str, Any] = {"side": "buy", "price": 50.0, "qty": 10.0, "market": "MAIN"}
    order |= {"type": "limit", "time_in_force": "GTD", "expires_at": 9e18, "post_only": True}
    order |= {"reduce_only": False, "trader": "ann", "self_trade_prevention": "none"}
    answer = await api.http.post("/orders/batch", json={"orders": [order] * 1000})
    assert answer.status_code == 201
    assert len(answer.json()["order_ids"]) == 1000


async def test_a_body_of_too_many_values_is_not_looked_through_for_fractions(api: Api) -> None:
    """It is refused by its first error: that costs no time in which nobody else is served."""
    body = b'{"orders":[{"side":"buy","price":50.0,"qty":10}' + b",[]" * 300_000 + b"]}"
    answer = await api.http.post("/orders/batch", content=body)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("orders[0].price must be a whole number")


@pytest.mark.parametrize("zeros", [30, 5000])
async def test_a_number_beyond_all_bounds_beside_a_fraction(api: Api, zeros: int) -> None:
    body = b'{"side":"buy","price":50.0,"qty":1%b}' % (b"0" * zeros)
    answer = await api.http.post("/orders", content=body)
    assert answer.status_code in (400, 422)
    assert answer.json()["error"].startswith(("price must be", "qty must be"))
