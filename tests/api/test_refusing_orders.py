"""POST /orders, refused: each refusal has its status and names the field and the fix."""

from typing import Any

import httpx
import pytest

from tests.api.serving import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")

GOOD = {"side": "buy", "price": 50, "qty": 10}


async def refused(api: Api, body: bytes | dict[str, Any], **options: Any) -> tuple[int, str]:
    """The status and the words; checks that nothing was queued."""
    before = await api.get("/orders")
    content = {"json": body} if isinstance(body, dict) else {"content": body}
    answer = await api.http.post("/orders", **content, **options)
    assert list(answer.json()) == ["error"], answer.text
    assert answer.headers["content-type"] == "application/json"
    await api.settled()
    assert await api.get("/orders") == before
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("qty", 0, "qty must be > 0"),
        ("qty", -5, "qty must be > 0"),
        ("qty", 10**12 + 1, "at most 10**12"),
        ("qty", 10**30, "qty must be > 0"),
        ("price", 0, "price must be > 0"),
        ("price", -1, "price must be > 0"),
        ("price", 10**400, "price must be > 0"),
        ("price", 10**4299, "price must be > 0"),
        ("expires_at", 2**63, "expires_at must be a time in ns"),
        ("expires_at", 0, "expires_at must be a time in ns"),
        ("expires_at", 9 * 10**18, "expires_at goes with GTD"),
        ("time_in_force", "GTD", "expires_at goes with GTD"),
        ("reduce_only", True, "reduce_only needs IOC, FOK or a market order"),
        ("client_order_id", "", "client_order_id must have 1 to 64 characters"),
        ("client_order_id", "x" * 65, "client_order_id must have 1 to 64 characters"),
        ("trader", "x" * 65, "trader must have at most 64 characters"),
        ("type", "market", "price: a market order takes none"),
    ],
)
async def test_a_broken_rule_is_400(shared_api: Api, field: str, value: Any, words: str) -> None:
    status, error = await refused(shared_api, GOOD | {field: value})
    assert status == 400
    assert words in error


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"market": "RAIN", "price": 100}, "price is outside the market's range: 1 to 99"),
        ({"time_in_force": "IOC", "post_only": True}, "post_only needs a limit order"),
        ({"time_in_force": "GTD", "expires_at": 1}, "must lie after the timestamp"),
        ({"time_in_force": "IOC", "expires_at": 9 * 10**18}, "expires_at goes with GTD"),
    ],
)
async def test_fields_that_do_not_go_together_are_400(
    shared_api: Api, more: dict[str, Any], words: str
) -> None:
    status, error = await refused(shared_api, GOOD | more)
    assert status == 400
    assert words in error


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("market", "x" * 65, "market must have at most 64 characters"),
        ("side", "hold", "side must be buy or sell"),
        ("side", "BUY", "side must be buy or sell"),
        ("side", None, "side must be text, not null"),
        ("side", 1, "side must be text, not a whole number"),
        ("qty", "10", "qty must be a whole number, not text"),
        ("qty", 1.5, "qty must be a whole number, not a number with a fraction"),
        ("qty", True, "qty must be a whole number, not true or false"),
        ("qty", None, "qty must be a whole number, not null"),
        ("price", [50], "price must be a whole number, not an array"),
        ("price", {"ticks": 50}, "price must be a whole number, not an object"),
        ("market", "NOWHERE", "market 'NOWHERE': no market has this symbol"),
        ("market", 5, "market must be text"),
        ("type", "stop", "type must be limit or market"),
        ("time_in_force", "gtc", "time_in_force must be GTC, IOC, FOK or GTD"),
        ("post_only", "yes", "post_only must be true or false, not text"),
        ("post_only", 1, "post_only must be true or false, not a whole number"),
        ("trader", 7, "trader must be text, not a whole number"),
        (
            *("self_trade_prevention", "all"),
            "self_trade_prevention must be cancel_taker, cancel_maker, cancel_both or none",
        ),
        ("quantity", 10, "quantity: unknown field; use side, qty, price, market"),
        ("id", 7, "id: unknown field"),
        ("", 1, ": unknown field"),
        ("`", 1, "`: unknown field"),
        ("x" * 1000, 1, "x: unknown field; use side"),
        ("side", "x" * 1000, "side must be buy or sell"),
        ("side", "x` - at `$.qty`", "side must be buy or sell"),
        ("x` - at `$.qty", 1, "unknown field"),
    ],
)
async def test_what_is_no_order_is_422(shared_api: Api, field: str, value: Any, words: str) -> None:
    status, error = await refused(shared_api, GOOD | {field: value})
    assert status == 422
    assert words in error
    assert len(error) < 400


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("side", "side is missing: side must be buy or sell"),
        ("qty", "qty is missing: qty must be > 0"),
        ("price", "price is missing: a limit order needs one"),
    ],
)
async def test_a_missing_field_is_422(shared_api: Api, field: str, words: str) -> None:
    status, error = await refused(
        shared_api, {name: value for name, value in GOOD.items() if name != field}
    )
    assert status == 422
    assert words in error


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "the body is empty"),
        (b"   ", "the body is empty"),
        (b"side=buy&price=50&qty=10", "the body is not JSON"),
        (b'{"side":"buy","price":50,"qty":10', "the body is not JSON"),
        (b'{"side":"buy","price":50,"qty":10} x', "the body is not JSON"),
        (b"{'side':'buy','price':50,'qty':10}", "the body is not JSON"),
        (b'{"side":"buy","price":NaN,"qty":10}', "the body is not JSON"),
        (b'{"side":"buy","price":50,"qty":10,"trader":"\xff"}', "the body is not UTF-8"),
        (b'{"side":"buy","price":50,"qty":10,"trader":"\\ud800"}', "the body is not JSON"),
        (b"[" * 30_000, "the body must be an object, not an array"),
        (b'{"side":' + b"[" * 30_000, "side must be text, not an array"),
        (b'{"x":' + b"[" * 30_000, "x: unknown field"),
        (b'{"qty":1.5,"x":' + b"[" * 15_000 + b"]" * 15_000 + b"}", "nested too deep"),
        (b"[]", "the body must be an object, not an array"),
        (b'"buy"', "the body must be an object, not text"),
        (b"null", "the body must be an object, not null"),
    ],
    ids=range(16),
)
async def test_what_is_no_json_object_is_422(shared_api: Api, body: bytes, words: str) -> None:
    status, error = await refused(shared_api, body)
    assert status == 422
    assert words in error
    assert len(error) < 400


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonp",
    ],
)
async def test_another_content_type_is_415(shared_api: Api, kind: str) -> None:
    status, error = await refused(
        shared_api, b'{"side":"buy","price":50,"qty":10}', headers={"Content-Type": kind}
    )
    assert status == 415
    assert "use application/json" in error


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_64_kib_is_413(shared_api: Api, declared: bool) -> None:
    body = b'{"side":"buy","price":50,"qty":10}' + b" " * 64 * 1024
    if declared:
        status, error = await refused(shared_api, body)
    else:

        async def pieces() -> Any:
            for start in range(0, len(body), 8192):
                yield body[start : start + 8192]

        answer = await shared_api.http.post("/orders", content=pieces())
        assert answer.request.headers["transfer-encoding"] == "chunked"
        status, error = answer.status_code, answer.json()["error"]
    assert status == 413
    assert "at most 64 KiB" in error


async def test_a_body_of_64_kib_is_read(shared_api: Api) -> None:
    body = b'{"side":"buy","price":50,"qty":10}'
    answer = await shared_api.http.post("/orders", content=body.ljust(64 * 1024))
    assert answer.status_code == 201


async def test_after_a_refusal_the_connection_serves_on(shared_api: Api) -> None:
    limits = httpx.Limits(max_connections=1)
    async with httpx.AsyncClient(base_url=f"http://{shared_api.address}", limits=limits) as http:
        for body in (b"", b"{}", b"x" * 70_000, b'{"side":"buy","price":50,"qty":10}'):
            answer = await http.post("/orders", content=body)
        assert answer.status_code == 201
