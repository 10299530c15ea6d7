"""What an instance says of itself and of its venue."""

import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from matchbox_tui.store import Client, Keys, Server
from tests.api.serving import Api, serving
from tests.node.venue import QUIET, Venue
from tests.servers import OwnServer
from tests.waiting import eventually


async def test_a_process_that_lives_says_so(api: Api) -> None:
    answer = await api.http.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert (await api.http.get("/health?any=thing")).status_code == 200


async def test_a_venue_that_is_led_is_ready(api: Api) -> None:
    await api.place()
    await api.settled()
    answer = await api.http.get("/ready")
    assert answer.status_code == 200
    seen = answer.json()
    assert 0 <= seen.pop("age_ms") < 30_000
    assert seen == {
        "ready": True,
        "leader": "a",
        "epoch": 1,
        "sequence": 2,
        "lag": 0,
        "queue_depth": 0,
        "error": None,
    }


async def test_a_venue_that_nobody_leads_is_not_ready(api: Api, led: Venue) -> None:
    await led.stop()
    await api.place()
    answer = await api.http.get("/ready")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    seen = answer.json()
    assert (seen["ready"], seen["leader"], seen["queue_depth"]) == (False, None, 1)
    assert "no instance leads" in seen["error"]
    await led.lead("b", settings=QUIET)

    async def status() -> int:
        return (await api.http.get("/ready")).status_code

    await eventually(status, lambda code: code == 200)


async def test_the_cluster_names_every_instance(api: Api, led: Venue) -> None:
    led.start("b", settings=QUIET)

    async def cluster() -> list[str]:
        return [instance["id"] for instance in (await api.get("/cluster"))["instances"]]

    await eventually(cluster, lambda ids: ids == ["a", "b"])
    await api.place()
    await api.settled()
    seen = await api.get("/cluster")
    first, second = seen.pop("instances")
    assert (first["id"], first["role"], first["epoch"]) == ("a", "leading", 1)
    assert (second["id"], second["role"]) == ("b", "follower")
    for instance in (first, second):
        assert (instance["pid"], instance["host"]) == (os.getpid(), socket.gethostname())
        assert instance["lag"] == seen["tip"] - instance["seq"] >= 0
    assert seen == {
        "instance": "",
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "leader": "a",
        "epoch": 1,
        "tip": 2,
        "queue_depth": 0,
    }


@pytest.mark.parametrize("path", ["/ready", "/cluster", "/metrics", "/health"])
async def test_these_are_only_read(api: Api, path: str) -> None:
    assert (await api.http.post(path, json={})).status_code == 405
    assert (await api.http.head(path)).status_code == 200


# The server is away


@pytest.fixture
def own() -> Iterator[OwnServer]:
    with TemporaryDirectory(prefix="mb", dir="/tmp") as name, OwnServer(Path(name)) as server:
        yield server


@pytest.fixture
async def lone(own: OwnServer) -> AsyncIterator[Api]:
    client = Client(Server(own.url), Keys(""))
    link = Server(own.url).link("matchbox-test")
    venue = Venue(own.url, "", client, link)
    await venue.lead("a", settings=QUIET)
    async with serving(own.url, "") as served:
        await served.settled()
        yield served
    await venue.stop()
    await client.close()
    await link.close()


@pytest.mark.parametrize("way", ["hangs", "is-killed"])
async def test_a_server_that_is_away_is_told_of_and_comes_back(
    lone: Api, own: OwnServer, way: str
) -> None:
    if way == "hangs":
        own.signal(signal.SIGSTOP)
    else:
        own.kill()
    assert await lone.get("/health") == {"status": "ok"}
    ready = await lone.http.get("/ready")
    assert ready.status_code == 503
    seen = ready.json()
    assert (seen["ready"], seen["leader"], seen["epoch"]) == (False, None, None)
    assert str(own.socket) in seen["error"] or "did not answer" in seen["error"]
    assert seen["age_ms"] >= 0
    cluster = await lone.http.get("/cluster")
    assert cluster.status_code == 503
    assert cluster.headers["retry-after"]
    assert (await lone.http.get("/metrics")).status_code == 200
    if way == "hangs":
        own.signal(signal.SIGCONT)
    else:
        own.start()

    async def status() -> int:
        return (await lone.http.get("/ready")).status_code

    await eventually(status, lambda code: code == 200)
    assert (await lone.http.get("/cluster")).status_code == 200
