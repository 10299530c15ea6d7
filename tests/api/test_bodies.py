"""A request's body, however it arrives."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from matchbox_tui.api.bodies import ClientGone, read_body
from matchbox_tui.api.errors import Refusal
from tests.api.serving import Api


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
    assert await read_body(arriving(*pieces), 10) == b"0123456789"


@pytest.mark.parametrize(
    "pieces", [[b"0123456789x"], [b"0123456789", b"x"], [b"01234", b"56789x"], [b"x"] * 11]
)
async def test_a_body_that_is_too_long_is_refused(pieces: list[bytes]) -> None:
    with pytest.raises(Refusal) as caught:
        await read_body(arriving(*pieces), 10)
    assert caught.value.status == 413


async def test_what_is_too_long_is_not_waited_for() -> None:
    """Nothing is asked for after the piece that was too much."""
    with pytest.raises(Refusal):
        await read_body(arriving(b"0123456789x", ends=False), 10)


@pytest.mark.parametrize("pieces", [[], [b"012"]])
async def test_a_client_that_leaves_sends_no_body(pieces: list[bytes]) -> None:
    with pytest.raises(ClientGone):
        await read_body(arriving(*pieces, ends=False), 10)


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
