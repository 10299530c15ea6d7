"""The figures that Prometheus reads, against what was done."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from matchbox_tui.api.meter import SECONDS, SIZES, Histogram
from matchbox_tui.store import client as client_module
from tests.api.raw import raw
from tests.api.serving import Api
from tests.node.venue import Venue

Labels = frozenset[tuple[str, str]]


class Figures:
    """All samples by name and labels."""

    def __init__(self, text: str) -> None:
        self.kinds: dict[str, str] = {}
        self.samples: dict[tuple[str, Labels], float] = {}
        for family in text_string_to_metric_families(text):
            assert family.documentation
            self.kinds[family.name] = family.type
            for sample in family.samples:
                self.samples[sample.name, frozenset(sample.labels.items())] = sample.value

    def of(self, name: str, **labels: str) -> float:
        return self.samples.get((name, frozenset(labels.items())), 0)


async def figures(api: Api) -> Figures:
    answer = await api.http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return Figures(answer.text)


async def test_requests_by_route_method_and_status(api: Api) -> None:
    for _ in range(3):
        await api.get("/orderbook")
    order_id = await api.place()
    await api.http.get(f"/orders/{order_id}")
    await api.http.get("/orders/999999")
    await api.http.get("/some/where")
    await api.http.post("/orders", json={"side": "buy"})
    await api.http.head("/orderbook")
    seen = await figures(api)

    def count(route: str, method: str, status: int) -> float:
        name = "matchbox_http_requests_total"
        return seen.of(name, route=route, method=method, status=str(status))

    assert count("/orderbook", "GET", 200) == 4
    assert count("/orders", "POST", 201) == 1
    assert count("/orders", "POST", 422) == 1
    assert count("", "GET", 404) == 1
    # However many orders there are, they are one route.
    routes = {dict(labels).get("route", "") for _, labels in seen.samples}
    (one,) = [route for route in routes if route.startswith("/orders/{")]
    assert (count(one, "GET", 200), count(one, "GET", 404)) == (1, 1)
    duration = "matchbox_http_request_duration_seconds"
    assert seen.kinds[duration] == "histogram"
    assert seen.of(f"{duration}_count", route="/orderbook", method="GET") == 4
    assert seen.of(f"{duration}_bucket", route="/orderbook", method="GET", le="+Inf") == 4
    assert seen.of(f"{duration}_sum", route="/orderbook", method="GET") > 0


async def test_what_was_refused_before_it_was_a_request(api: Api) -> None:
    for _ in range(2):
        async with raw(api.port) as connection:
            await connection.send(b"nonsense\r\n\r\n")
            assert (await connection.answer()).status == 400
    seen = await figures(api)
    assert seen.of("matchbox_http_refused_total", status="400") == 2
    assert seen.of("matchbox_http_connections") == 1


async def test_orders_and_their_batches(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    order = {"side": "buy", "price": 50, "qty": 1}
    named = {**order, "trader": "ann", "client_order_id": "once"}
    for status in (201, 200):
        assert (await api.http.post("/orders", json=named)).status_code == status
    await api.http.post("/orders/batch", json={"orders": [order] * 30})
    await asyncio.gather(*(api.place() for _ in range(10)))
    monkeypatch.setattr(client_module, "QUEUE_LIMIT", 0)
    assert (await api.http.post("/orders/batch", json={"orders": [order] * 3})).status_code == 503
    seen = await figures(api)
    assert seen.of("matchbox_orders_submitted_total") == 41
    assert seen.of("matchbox_orders_repeated_total") == 1
    assert seen.of("matchbox_orders_refused_total", reason="overloaded") == 3
    assert seen.kinds["matchbox_submit_batch_size"] == "histogram"
    assert seen.of("matchbox_submit_batch_size_sum") == 42
    assert seen.of("matchbox_submit_batch_size_bucket", le="1") >= 2
    calls = seen.of("matchbox_submit_batch_size_count")
    assert calls == seen.of("matchbox_submit_batch_size_bucket", le="+Inf")
    assert 4 <= calls <= 13


async def test_how_fresh_the_view_is(api: Api, led: Venue) -> None:
    await api.place()
    await api.settled()
    seen = await figures(api)
    assert seen.of("matchbox_view_sequence") == api.gateway.view.seq == 2
    assert seen.of("matchbox_view_lag_commands") == 0
    assert seen.of("matchbox_view_age_seconds") < 30
    assert seen.kinds["matchbox_queue_depth"] == "gauge"
    await led.stop()
    await api.place()
    await api.gateway.cluster()
    assert (await figures(api)).of("matchbox_queue_depth") == 1


async def test_the_node_where_there_is_one(api: Api, led: Venue) -> None:
    assert "matchbox_node_role" not in (await figures(api)).kinds
    api.gateway.node = led.instances["a"].node
    seen = await figures(api)
    roles = {
        dict(labels)["role"]: value
        for (name, labels), value in seen.samples.items()
        if name == "matchbox_node_role"
    }
    assert roles == {"follower": 0, "catching_up": 0, "leading": 1}
    assert seen.of("matchbox_node_epoch") == 1


async def test_the_feeds_where_they_tell(api: Api) -> None:
    class Told:
        connected = {"fills": 3, "book": 2}  # noqa: RUF012
        bytes_sent = 7
        disconnected_slow = 2

    api.gateway.feeds = Told()
    seen = await figures(api)
    assert seen.of("matchbox_websocket_clients", feed="fills") == 3
    assert seen.of("matchbox_websocket_clients", feed="book") == 2
    assert seen.of("matchbox_websocket_sent_bytes_total") == 7
    assert seen.of("matchbox_websocket_disconnected_slow_total") == 2


@pytest.mark.parametrize("bounds", [SECONDS, SIZES])
def test_a_value_falls_into_the_bucket_that_it_does_not_exceed(bounds: tuple[float, ...]) -> None:
    histogram = Histogram(bounds)
    for bound in bounds:
        histogram.observe(bound)
        histogram.observe(bound * 1.001)
    assert histogram.counts == [1, *[2] * (len(bounds) - 1), 1]
    assert histogram.total == pytest.approx(2.001 * sum(bounds))
