"""How the instance and its venue are: for orchestrators, operators and Prometheus."""

import asyncio
import os
import socket

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from matchbox_tui.api.gateway import Gateway
from matchbox_tui.api.health_answers import (
    ClusterAnswer,
    HealthAnswer,
    InstanceAnswer,
    ReadyAnswer,
)
from matchbox_tui.api.metrics import CONTENT_TYPE, Metrics
from matchbox_tui.api.reading import check_query
from matchbox_tui.api.routes.problems import problems
from matchbox_tui.store import ClusterStatus, StoreError

PATIENCE_SECONDS = 1.5
"""How long the server may take to say how the venue is."""


def health_routes(gateway: Gateway) -> list[HTTPRouteHandler]:
    metrics = Metrics(gateway)

    @get(
        "/health",
        tags=["Operations"],
        summary="Whether the process is alive",
        operation_id="getHealth",
    )
    async def get_health() -> HealthAnswer:
        return HealthAnswer("ok")

    @get(
        "/ready",
        tags=["Operations"],
        summary="Whether orders are taken and matched now",
        operation_id="getReady",
        response_description="They are.",
        responses={
            503: ResponseSpec(
                ReadyAnswer,
                description="They are not: `error` says why.",
                generate_examples=False,
            )
        },
    )
    async def get_ready() -> Response[ReadyAnswer]:
        status, error = await _asked(gateway)
        if status is not None and status.leader is None:
            error = "no instance leads: orders wait in the queue"
        reader = gateway.reader
        if not error and not reader.caught_up.is_set():
            error = "the journal is still being read"
        answer = ReadyAnswer(
            ready=not error,
            leader=status.leader if status is not None else None,
            epoch=status.epoch if status is not None else None,
            sequence=gateway.view.seq,
            lag=reader.lag,
            age_ms=reader.age_ms,
            queue_depth=status.queue_depth if status is not None else None,
            error=error or None,
        )
        return Response(
            answer,
            status_code=503 if error else 200,
            headers={"Retry-After": "1"} if error else {},
            media_type="application/json",
        )

    @get(
        "/cluster",
        tags=["Operations"],
        summary="The venue's instances, and who leads",
        operation_id="getCluster",
        before_request=check_query,
        responses=problems(422, 503),
    )
    async def get_cluster() -> ClusterAnswer:
        status, error = await _asked(gateway)
        if status is None:
            raise StoreError(error)
        return ClusterAnswer(
            instance=gateway.instance_id,
            pid=os.getpid(),
            host=socket.gethostname(),
            leader=status.leader,
            epoch=status.epoch,
            tip=status.seq,
            queue_depth=status.queue_depth,
            instances=[
                InstanceAnswer(
                    id=instance.id,
                    role=instance.role,
                    epoch=instance.epoch,
                    seq=instance.seq,
                    lag=max(0, status.seq - instance.seq),
                    pid=instance.pid,
                    host=instance.host,
                    started=instance.started,
                )
                for instance in status.instances
            ],
        )

    @get(
        "/metrics",
        tags=["Operations"],
        summary="Figures for Prometheus",
        operation_id="getMetrics",
        media_type="text/plain",
    )
    async def get_metrics() -> Response[bytes]:
        return Response(metrics.text(), headers={"content-type": CONTENT_TYPE})

    return [get_health, get_ready, get_cluster, get_metrics]


async def _asked(gateway: Gateway) -> tuple[ClusterStatus | None, str]:
    """The venue's status, or why it can't be had."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await gateway.cluster(), ""
    except StoreError as error:
        return None, str(error)
    except TimeoutError:
        return None, f"the server did not answer within {PATIENCE_SECONDS} s"
