"""What an HTTP client is told where the server can't be asked, or its reply is lost."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from matchbox_tui.store import Link, client
from tests.api.serving import Api, serving
from tests.node.venue import Venue
from tests.servers import OwnServer, Proxy

ORDER = {"side": "buy", "price": 50, "qty": 10}


@pytest.fixture
def own() -> Iterator[OwnServer]:
    with (
        tempfile.TemporaryDirectory(prefix="mb", dir="/tmp") as name,
        OwnServer(Path(name)) as started,
    ):
        yield started


def writes(order_id: int) -> list[tuple[str, str, Any]]:
    return [
        ("POST", "/orders", ORDER),
        ("POST", "/orders/batch", {"orders": [ORDER, ORDER]}),
        ("PATCH", f"/orders/{order_id}", {"qty": 5}),
        ("DELETE", f"/orders/{order_id}", None),
        ("DELETE", "/orders", None),
    ]


async def test_without_a_server_writes_are_503_and_nothing_is_queued(own: OwnServer) -> None:
    async with serving(own.url, "away:") as api:
        order_id = await api.place()
        own.kill()
        # The first may find a connection that was cut under it: that it had been sent is possible.
        await api.http.post("/orders", json=ORDER)
        for method, path, body in writes(order_id):
            answer = await api.http.request(method, path, json=body)
            assert answer.status_code == 503, (path, answer.text)
            assert int(answer.headers["Retry-After"]) >= 1
            assert "nothing was queued" in answer.json()["error"]
        assert (await api.http.get(f"/orders/{order_id}")).status_code == 200
        unknown = await api.http.get("/orders/999")
        assert unknown.status_code == 503
        assert "nothing was queued" not in unknown.json()["error"]
        own.start()


async def test_a_full_queue_is_503(
    venue: Venue, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "QUEUE_LIMIT", 3)
    async with serving(venue.url, venue.prefix) as api:  # Nobody leads: the queue fills.
        for _ in range(3):
            await api.place()
        single = await api.http.post("/orders", json=ORDER)
        batch = await api.http.post("/orders/batch", json={"orders": [ORDER]})
        depth = await link.call("LLEN", venue.keys.queue)
    for answer in (single, batch):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert "queue" in answer.json()["error"]
    assert depth == 3


async def test_a_lost_reply_is_504_and_a_second_try_with_a_name_is_safe(own: OwnServer) -> None:
    named = ORDER | {"client_order_id": "mine-1"}
    proxy = Proxy(own.socket)
    async with proxy.run(), serving(proxy.url, "lost:") as api:
        await api.place()  # Now the server knows the script, and runs it the first time.
        proxy.eat_reply_to = b"mine-1"
        lost = await api.http.post("/orders", json=named)
        again = await api.http.post("/orders", json=named)
        shown = await _queued(api)
    assert proxy.eaten == 1
    assert lost.status_code == 504
    assert "may have been queued" in lost.json()["error"]
    assert "client_order_id" in lost.json()["error"]
    assert (again.status_code, again.json()) == (200, {"order_id": 2})
    assert shown == 2


async def _queued(api: Api) -> int:
    return (await api.gateway.client.cluster()).queue_depth
