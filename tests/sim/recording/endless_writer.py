"""A process that records a run until it is killed: DIRECTORY virtual|live|brief.

A brief one ends by itself, after telling that it begins.
"""

import itertools
import sys
from pathlib import Path

from matchbox_tui.engine import NewOrder
from sim.recording import FaultRow, RunWriter, Sample
from tests.sim.evidence import Story
from tests.sim.recording.runs import ROSTER, SCENARIO, facts

FAULT = FaultRow(kind="kill", who="a", at=1, old_epoch=1, new_epoch=2, new_leader="b")


def main() -> None:
    story = Story()
    brief = sys.argv[2] == "brief"
    if brief:
        tell()
    writer = RunWriter(Path(sys.argv[1]), facts(virtual=sys.argv[2] == "virtual"), SCENARIO, ROSTER)
    if not brief:
        tell()
    for number in itertools.count():
        story.entries.clear()
        story.fills.clear()
        # Many orders in each, so that chunks fill up soon.
        story.commit(*(order for _ in range(20) for order in trade(story)))
        writer.entry(story.entries[0])
        for fill in story.fills:
            writer.fill(fill)
        writer.sample(Sample(number, story.exchange.seq, 0, "a", 1))
        if brief and number == 5:
            writer.fault(
                FaultRow(kind="kill", who="a", at=1, old_epoch=1, new_epoch=2, new_leader="b")
            )
            story.acknowledged()
            writer.finish(story.last_moment(), story.record)
            return


def tell() -> None:
    sys.stdout.write("begun\n")
    sys.stdout.flush()


def trade(story: Story) -> tuple[NewOrder, NewOrder]:
    return story.sell(50, 5, trader="ann"), story.buy(50, 5, trader="bob")


if __name__ == "__main__":
    main()
