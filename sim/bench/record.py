"""Ratios of an earlier run, kept in a file, and what has become of them."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from sim.bench.machine import Machine
from sim.bench.report import Plan, Report


class Topic(msgspec.Struct, frozen=True):
    """What one topic measured, where and how. A ratio's name says what was compared with what."""

    machine: Machine
    plan: Plan
    ratios: dict[str, float]


class Record(msgspec.Struct, frozen=True):
    """The file: `note` says what a reader must know about it."""

    note: str = ""
    topics: dict[str, Topic] = {}


class Compared(msgspec.Struct, frozen=True):
    """A ratio beside the recorded one; None where one of the two is not there."""

    topic: str
    what: str
    recorded: float | None
    now: float | None

    @property
    def share(self) -> float | None:
        """How much of the recorded ratio there is now."""
        return self.now / self.recorded if self.now is not None and self.recorded else None


class Unreadable(Exception):
    """A record that is none; `str()` says which and why."""


def ratios_of(report: Report) -> dict[str, float]:
    """Each ratio of a report by its name."""
    return {
        f"{row.what} : {row.against}": row.ratio for row in report.rows if row.ratio is not None
    }


def read(path: Path) -> Record:
    """Raises `Unreadable`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except OSError as error:
        raise Unreadable(f"{path} can't be read: {error.strerror or error}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unreadable(f"{path} is no record of ratios: {error}") from None


def write(path: Path, reports: Sequence[Report]) -> None:
    """Puts the reports' ratios in the file; what other topics have there stays.

    Raises `Unreadable` for a file that is something else, or that can't be written.
    """
    old = read(path) if path.exists() else Record()
    new = {one.topic: Topic(one.machine, one.plan, ratios_of(one)) for one in reports}
    record = Record(old.note, dict(sorted({**old.topics, **new}.items())))
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
    except OSError as error:
        raise Unreadable(f"{path} can't be written: {error.strerror or error}") from None


def beside(record: Record, reports: Sequence[Report]) -> list[Compared]:
    """Each ratio of the topics that were measured, beside the recorded one."""
    found = []
    for report in reports:
        topic = record.topics.get(report.topic)
        old = topic.ratios if topic is not None else {}
        new = ratios_of(report)
        found += [
            Compared(report.topic, name, old.get(name), new.get(name))
            for name in dict.fromkeys((*new, *old))
        ]
    return found
