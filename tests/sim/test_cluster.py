"""Real processes, started and ended."""

import os
import signal
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from matchbox_tui.engine import Market
from matchbox_tui.store import Client
from sim import Cluster, FloorRecord
from sim.cluster import Member
from tests.ports import free_port
from tests.waiting import eventually, soon

RAIN = Market.prediction("RAIN", "Will it rain, or snow?")


def members(cluster: Cluster) -> list[Member]:
    return [*cluster.nodes.values(), *([cluster.traders] if cluster.traders else [])]


async def started(cluster: Cluster, client: Client, instances: int = 2) -> list[Member]:
    cluster.start(instances, 5, 100, 1)

    async def trading() -> bool:
        status = await client.cluster()
        return len(status.instances) == instances and status.seq > 20

    await eventually(trading)
    return members(cluster)


async def test_stop_ends_everything(url: str, prefix: str, client: Client, tmp_path: Path) -> None:
    cluster = Cluster(url, tmp_path, prefix=prefix, markets=[RAIN])
    began = await started(cluster, client)
    assert [member.name for member in began] == ["node-1", "node-2", "traders"]
    assert cluster.failed() is None
    cluster.stop()
    assert [member.process.returncode for member in began] == [0, 0, 0]
    status = await client.cluster()
    assert (status.leader, status.instances) == (None, ())


async def test_stop_ends_members_that_stand_still(
    url: str, prefix: str, client: Client, tmp_path: Path
) -> None:
    cluster = Cluster(url, tmp_path, prefix=prefix, markets=[RAIN])
    began = await started(cluster, client)
    for member in began:
        member.signal(signal.SIGSTOP)
    cluster.stop()
    # They were woken and ended by themselves; nobody had to kill them.
    assert [member.process.returncode for member in began] == [0, 0, 0]


async def test_a_member_that_does_not_heed_is_killed(
    url: str, prefix: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.cluster.STOP_SECONDS", 0.3)
    monkeypatch.setattr(Member, "ask_to_stop", lambda self: self.signal(signal.SIGSTOP))
    cluster = Cluster(url, tmp_path, prefix=prefix, markets=[RAIN])
    began = await started(cluster, client, 1)
    cluster.stop()
    assert [member.process.returncode for member in began] == [-signal.SIGKILL, -signal.SIGKILL]


def test_several_may_wait_for_a_member_at_once(tmp_path: Path) -> None:
    """As when a second Ctrl-C comes while the traders are waited for."""
    waiting = 8
    member = Member("node-1", ["engine", "--help"], dict(os.environ), tmp_path / "log")
    with ThreadPoolExecutor(waiting) as threads:
        told = list(threads.map(member.wait, [30.0] * waiting))
    assert b"--lease-ms" in told[0]
    assert told == [told[0]] * waiting
    assert member.wait(0) == told[0]


async def test_the_traders_record_comes_back(
    url: str, prefix: str, client: Client, tmp_path: Path
) -> None:
    cluster = Cluster(url, tmp_path, prefix=prefix, markets=[RAIN])
    await started(cluster, client, 1)
    record = cluster.stop_traders()
    assert record is not None
    assert record.acknowledged > 0
    assert record.order_ids
    assert cluster.stop_traders() == FloorRecord()
    cluster.stop()


async def test_killed_traders_leave_no_record(
    url: str, prefix: str, client: Client, tmp_path: Path
) -> None:
    cluster = Cluster(url, tmp_path, prefix=prefix, markets=[RAIN])
    await started(cluster, client, 1)
    assert cluster.traders is not None
    cluster.traders.signal(signal.SIGKILL)
    assert cluster.stop_traders() is None
    cluster.stop()


async def test_failed_says_why(url: str, prefix: str, client: Client, tmp_path: Path) -> None:
    cluster = Cluster(url, tmp_path, prefix=prefix, markets=[RAIN])
    await started(cluster, client)
    cluster.nodes["node-1"].signal(signal.SIGKILL)
    soon(lambda: not cluster.nodes["node-1"].alive())
    assert cluster.failed() is None
    cluster.nodes["node-2"].signal(signal.SIGKILL)
    soon(lambda: not cluster.nodes["node-2"].alive())
    assert (cluster.failed() or "").startswith("every engine instance ended: ")
    cluster.start_node("node-1")
    assert cluster.failed() is None
    cluster.stop()


async def test_what_has_ended_is_started_again(
    url: str, prefix: str, client: Client, tmp_path: Path
) -> None:
    cluster = Cluster(url, tmp_path, prefix=prefix, markets=[RAIN])
    began = await started(cluster, client)
    assert cluster.restart() == []
    assert [member.ending() for member in began] == ["", "", ""]
    _, second, traders = began
    for member in (second, traders):
        member.signal(signal.SIGKILL)
        soon(member.ending)
        assert member.ending() == "killed by SIGKILL"
    assert cluster.restart() == ["node-2", "traders"]
    assert [member.alive() for member in members(cluster)] == [True, True, True]
    assert cluster.traders is not traders
    at = (await client.cluster()).seq

    async def trading() -> bool:
        return (await client.cluster()).seq > at + 20

    await eventually(trading)
    cluster.stop()


def test_failed_repeats_the_last_words(tmp_path: Path) -> None:
    cluster = Cluster("redis://127.0.0.1:1", tmp_path)
    cluster.start_node("node-1")
    why = soon(cluster.failed)
    assert "can't reach a server at redis://127.0.0.1:1" in (why or "")
    cluster.stop()


async def test_a_variable_of_ours_does_not_end_the_traders(
    url: str, prefix: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATCHBOX_DURATION", "1")
    cluster = Cluster(url, tmp_path, prefix=prefix, markets=[RAIN])
    await started(cluster, client, 1)
    traders = cluster.traders
    assert traders is not None
    with pytest.raises(AssertionError):
        soon(lambda: not traders.alive(), seconds=1.5)
    cluster.stop()


def health(port: int) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            status: int = answer.status
    except OSError:
        return 0
    return status


async def test_instances_with_an_api_keep_their_ports(
    url: str, prefix: str, client: Client, tmp_path: Path
) -> None:
    first = free_port(2)
    cluster = Cluster(url, tmp_path, prefix=prefix, markets=[RAIN], api_port=first)
    try:
        began = await started(cluster, client)
        for port in (first, first + 1):
            soon(lambda port=port: health(port), (200).__eq__)
        cluster.nodes["node-1"].signal(signal.SIGKILL)
        soon(lambda: health(first), (0).__eq__)
        assert health(first + 1) == 200
        cluster.start_node("node-1")
        soon(lambda: health(first), (200).__eq__)
    finally:
        cluster.stop()
    assert [health(port) for port in (first, first + 1)] == [0, 0]
    # An API that was asked and a node that led: both end by themselves.
    assert [member.process.returncode for member in began[1:]] == [0, 0]
    assert cluster.nodes["node-1"].process.returncode == 0
