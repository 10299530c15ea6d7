"""The gateway in figures, as Prometheus reads them."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from matchbox_tui.api.gateway import Gateway
from matchbox_tui.api.meter import Histogram

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

ROLES = ("follower", "catching_up", "leading")


class GatewayCollector(Collector):
    """Reads the gateway's counts when somebody asks. Never asks the server."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterator[Metric]:
        yield from self._http()
        yield from self._orders()
        yield from self._view()
        yield from self._feeds()
        yield from self._node()

    def _http(self) -> Iterator[Metric]:
        meter = self._gateway.meter
        requests = CounterMetricFamily(
            "matchbox_http_requests",
            "Requests that were answered",
            labels=("route", "method", "status"),
        )
        for (route, method, status), count in sorted(meter.requests.items()):
            requests.add_metric((route, method, str(status)), count)
        yield requests
        times = HistogramMetricFamily(
            "matchbox_http_request_duration_seconds",
            "From a request's head to the end of its answer",
            labels=("route", "method"),
        )
        for labels, histogram in sorted(meter.times.items()):
            times.add_metric(labels, _buckets(histogram), histogram.total)
        yield times
        refused = CounterMetricFamily(
            "matchbox_http_refused",
            "Connections that were answered and closed for what came over them",
            labels=("status",),
        )
        for status, count in sorted(meter.refusals.items()):
            refused.add_metric((str(status),), count)
        yield refused
        yield _gauge("matchbox_http_connections", "Open HTTP connections", meter.connections)

    def _orders(self) -> Iterator[Metric]:
        meter = self._gateway.meter
        yield _counter(
            "matchbox_orders_submitted", "Orders that were queued", meter.orders_submitted
        )
        yield _counter(
            "matchbox_orders_repeated",
            "Orders whose client_order_id was known",
            meter.orders_repeated,
        )
        refused = CounterMetricFamily(
            "matchbox_orders_refused",
            "Orders that were not queued, or nobody knows",
            labels=("reason",),
        )
        for reason, count in sorted(meter.orders_refused.items()):
            refused.add_metric((reason,), count)
        yield refused
        yield HistogramMetricFamily(
            "matchbox_submit_batch_size",
            "Commands that one SUBMIT carried",
            buckets=_buckets(meter.batches),
            sum_value=meter.batches.total,
        )

    def _view(self) -> Iterator[Metric]:
        reader = self._gateway.reader
        yield _gauge(
            "matchbox_view_sequence", "The last command that reads show", self._gateway.view.seq
        )
        yield _gauge(
            "matchbox_view_lag_commands",
            "Commands in the journal that reads don't show yet",
            reader.lag,
        )
        if reader.age_ms is not None:
            yield _gauge(
                "matchbox_view_age_seconds",
                "How long ago reads were last known to show all there was",
                reader.age_ms / 1000,
            )
        if reader.status is not None:
            yield _gauge(
                "matchbox_queue_depth",
                "Commands in the order queue, when it was last asked",
                reader.status.queue_depth,
            )

    def _feeds(self) -> Iterator[Metric]:
        feeds = self._gateway.feeds
        if feeds is None:
            return
        clients = GaugeMetricFamily(
            "matchbox_websocket_clients", "Clients that are connected", labels=("feed",)
        )
        for feed, count in feeds.connected.items():
            clients.add_metric((feed,), count)
        yield clients
        yield _counter(
            "matchbox_websocket_sent_bytes",
            "Bytes of messages that were sent to WebSocket clients",
            feeds.bytes_sent,
        )
        yield _counter(
            "matchbox_websocket_disconnected_slow",
            "WebSocket clients that were disconnected because they didn't read",
            feeds.disconnected_slow,
        )

    def _node(self) -> Iterator[Metric]:
        node = self._gateway.node
        if node is None:
            return
        roles = GaugeMetricFamily(
            "matchbox_node_role", "1 for the role of this process's engine node", labels=("role",)
        )
        for role in ROLES:
            roles.add_metric((role,), node.role == role)
        yield roles
        yield _gauge("matchbox_node_epoch", "The epoch that the node lives in", node.epoch)


class Metrics:
    """A registry of its own, so that nothing else in the process shows in it."""

    def __init__(self, gateway: Gateway) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(GatewayCollector(gateway))

    def text(self) -> bytes:
        """All figures, in Prometheus' text format."""
        return generate_latest(self._registry)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Cumulative, as the format wants them."""
    seen = 0
    buckets = []
    for bound, count in zip((*histogram.bounds, None), histogram.counts, strict=True):
        seen += count
        buckets.append(("+Inf" if bound is None else f"{float(bound):g}", float(seen)))
    return buckets


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)


def _counter(name: str, words: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(name, words, value=value)
