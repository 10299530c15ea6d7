"""Live runs for these tests."""

from tests.sim.live.stage import begin

__all__ = ["begin"]
