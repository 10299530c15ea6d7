"""The cluster's rows: instances, queue, latencies."""

import msgspec
import pytest

from matchbox_tui.store import ClusterStatus, InstanceStatus
from matchbox_tui.tui.cluster_rows import WIDE, QueueRow, cluster_rows, spark
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.latency import Sample
from matchbox_tui.tui.palette import DARK, Ink
from tests.tui.cockpit import desk_on
from tests.tui.venue import LocalVenue

INK = Ink(DARK)

LEADER = InstanceStatus("node-1", "leading", 8, 4242, "host", 12_345, 5, 1, 120)
STANDBY = InstanceStatus("node-2", "follower", 8, 4243, "host", 12_340, 6, 1, 3_400)
LATE = InstanceStatus("node-3", "catching_up", 7, 4244, "host", 9, 7, 1, 80)


def looked(*instances: InstanceStatus, depths: tuple[int, ...] = (0,)) -> Desk:
    desk = desk_on(LocalVenue())
    for number, depth in enumerate(depths):
        status = ClusterStatus("node-1", 8, 12_345, depth, instances)
        desk.model.observed(status, number * 250_000_000)
    return desk


def drawn(desk: Desk, width: int = 70, height: int = 20) -> list[str]:
    rows = cluster_rows(desk, width, height)
    return ["".join(segment.text for segment in row.paint(width, INK)) for row in rows]


def test_an_instance_shows_role_epoch_sequence_lag_process_and_heartbeat() -> None:
    head, leader, standby, late = drawn(looked(LEADER, STANDBY, LATE))[:4]
    assert leader.split() == ["●", "node-1", "leads", "8", "12,345", "0", "4242", "0.1s"]
    assert standby.split() == ["○", "node-2", "follows", "8", "12,340", "5", "4243", "3.4s"]
    assert late.split()[:5] == ["◌", "node-3", "catches", "up", "7"]
    for name, value in (("epoch", " 8 "), ("seq", "12,345"), ("pid", "4242"), ("beat", "0.1s")):
        end = leader.index(value) + len(value.rstrip())
        assert head.index(f" {name} ") + 1 + len(name) == end, name


def test_a_lag_that_nobody_can_tell_is_no_number() -> None:
    for width in (34, 70):
        lines = drawn(looked(LEADER, msgspec.structs.replace(STANDBY, heard_ms=80)), width)
        (told,) = [line.split() for line in lines if "12,340" in line]
        assert "?" in told
        assert "5" not in told


def test_a_heartbeat_that_is_late_is_told_loudly() -> None:
    for width in (34, 70):
        rows = cluster_rows(looked(LEADER, STANDBY), width, 20)
        loud = {
            segment.text.strip()
            for row in rows
            for segment in row.paint(width, INK)
            if segment.style == INK.alarm
        }
        assert "3.4s" in loud
        assert "0.1s" not in loud


def test_where_there_is_less_room_an_instance_takes_two_lines_with_the_same_facts() -> None:
    first, second = drawn(looked(STANDBY), 34)[1:3]
    assert first.split() == ["○", "node-2", "follows", "pid", "4243"]
    assert second.split() == ["epoch", "8", "seq", "12,340", "lag", "5", "3.4s"]


def test_an_instance_that_lost_the_lead_or_is_gone_says_so() -> None:
    deposed = msgspec.structs.replace(STANDBY, role="leading")
    desk = looked(LEADER, deposed)
    assert "led" in drawn(desk)[2].split()
    desk.model.observed(ClusterStatus("node-1", 8, 12_345, 0, (LEADER,)), 1_000_000_000)
    gone = drawn(desk)[2].split()
    assert (gone[2], gone[-1]) == ("gone", "4.4s")


def test_the_queue_is_drawn_from_look_to_look_with_its_peak() -> None:
    (line,) = [line for line in drawn(looked(depths=(0, 0, 7, 14, 1))) if "queue" in line]
    assert line.strip().startswith("queue 1")
    assert line.endswith("▁▁▅█▂ peak 14")


@pytest.mark.parametrize(("value", "shown"), [(0, "▁"), (1, "▂"), (999, "▇"), (1000, "█")])
def test_a_single_order_in_the_queue_is_seen(value: int, shown: str) -> None:
    assert spark(value, 1000) == shown


def test_latencies_are_told_as_p50_and_p99() -> None:
    desk = looked(LEADER)
    assert "none was sent yet" in drawn(desk)[-1]
    for n in range(1, 101):
        desk.model.latencies.samples.append(Sample(n * 10_000, n * 1_000_000))
    head, acknowledged, painted = drawn(desk)[-3:]
    assert "your 100 requests" in head
    assert acknowledged.split() == ["acknowledged", "500", "us", "990", "us"]
    assert painted.split() == ["painted", "50", "ms", "99", "ms"]


@pytest.mark.parametrize("width", [1, 5, 20, 34, WIDE, 200])
def test_every_row_fits_or_is_cut_at_the_edge_alone(width: int) -> None:
    desk = looked(LEADER, STANDBY, LATE, depths=(0, 10**6))
    for height in (1, 3, 30):
        assert len(drawn(desk, width, height)) <= height
    row = QueueRow((5, 7))
    assert "".join(s.text for s in row.paint(width, INK))


def test_before_the_first_look_there_is_nothing_to_tell() -> None:
    assert drawn(desk_on(LocalVenue()))[1].strip() == "not looked at yet"


def test_a_hostile_name_cannot_steer_the_terminal() -> None:
    hostile = msgspec.structs.replace(STANDBY, id="\x1b[2Jnode", role="\x1b[2J")
    assert not any("\x1b" in line for width in (34, 70) for line in drawn(looked(hostile), width))


def test_a_lag_and_a_heartbeat_stand_apart() -> None:
    gone = msgspec.structs.replace(STANDBY, seq=12_345 - 1_456, heard_ms=6_000)
    for width in (33, 40):
        assert drawn(looked(gone), width)[2].split()[-4:] == ["10,889", "lag", "1,456", "6.0s"]
