"""Small scenarios, run live, and a view of what runs meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sim.live import runner
from sim.live.venue import LiveVenue
from sim.run_report import RunReport
from sim.running import Progress, run_scenario
from sim.scenario import parse

CROWD = """\
[[market]]
symbol = "RAIN"

[[agents]]
kind = "market-maker"
count = 2
every = "50ms"

[[agents]]
kind = "noise"
count = 10
every = "50ms"

[[agents]]
kind = "zero-intelligence"
count = 10
every = "50ms"
"""

ENDLESS = f'duration = "1h"\ninstances = 2\nlease = "500ms"\n{CROWD}'


class Live:
    """A run under way: what it says, and its venue once there is one."""

    def __init__(self, text: str, out: Path | None) -> None:
        self.lines: list[str] = []
        self.progress: list[Progress] = []
        self.stopping = asyncio.Event()
        self.venue: LiveVenue | None = None
        self._text = text
        self._out = out

    async def run(self) -> RunReport:
        return await run_scenario(
            parse(self._text, "small", "small.toml"),
            self._text,
            virtual=False,
            out=self._out,
            say=self.lines.append,
            progress=self.progress.append,
            stopping=self.stopping,
        )

    @property
    def commands(self) -> int:
        """How many were committed by the last telling."""
        return self.progress[-1].commands if self.progress else 0


Begin = Callable[[str], Live]


@pytest.fixture
def begin(tmp_path: Path, server_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Makes a run of a text, whose servers are in `server_dir`."""
    monkeypatch.setattr("tempfile.tempdir", str(server_dir))
    # Pictures take seconds, and other tests look at them.
    monkeypatch.setattr("sim.running.write_page", lambda told, path: None)
    # Everybody is there sooner, as a rule, and nothing depends on it.
    monkeypatch.setattr(runner, "LEAD_NS", 1_200_000_000)

    def made(text: str) -> Live:
        live = Live(text, tmp_path / "run")
        original = runner.live_venue

        @asynccontextmanager
        async def noted(*arguments: object) -> AsyncIterator[LiveVenue]:
            async with original(*arguments) as venue:  # type: ignore[arg-type]  # the same ones
                live.venue = venue
                yield venue

        monkeypatch.setattr(runner, "live_venue", noted)
        return live

    return made
