"""Paths, methods and errors that no route answers: the same shape everywhere."""

import logging

import pytest

from tests.api.serving import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/orders/1/fills", "/orders/batch/1", "/docs/nothing", "/Orders"]
)
async def test_an_unknown_path_is_404(shared_api: Api, path: str) -> None:
    answer = await shared_api.http.get(path)
    assert answer.status_code == 404
    assert answer.json() == {"error": f"{path}: no such path; /docs lists those that there are"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/orders", {"GET", "POST", "DELETE", "OPTIONS"}),
        ("POST", "/orders/1", {"GET", "PATCH", "DELETE", "OPTIONS"}),
        ("DELETE", "/orders/batch", {"POST", "OPTIONS"}),
        ("POST", "/orderbook", {"GET", "OPTIONS"}),
        ("TRACE", "/docs", {"GET", "OPTIONS"}),
    ],
)
async def test_another_method_is_405_and_names_those_that_there_are(
    shared_api: Api, method: str, path: str, allowed: set[str]
) -> None:
    answer = await shared_api.http.request(method, path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed
    assert method in answer.json()["error"]
    options = await shared_api.http.options(path)
    assert options.status_code == 204
    assert set(options.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/orders", "/orderbook", "/docs/openapi.json"])
async def test_an_error_of_ours_tells_the_log_and_not_the_client(
    shared_api: Api,
    path: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("the secret of the house")

    kind = type(shared_api.gateway.view)
    monkeypatch.setattr(kind, "exchange", property(broken))
    with caplog.at_level(logging.ERROR):
        answer = await shared_api.http.get(path)
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal error; the server's log has the details"}
    assert "the secret of the house" in caplog.text


async def test_an_error_of_ours_in_a_post_is_told_in_the_same_way(
    shared_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(shared_api.gateway, "place", broken)
    answer = await shared_api.http.post("/orders", json={"side": "buy", "price": 1, "qty": 1})
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal error; the server's log has the details"}
