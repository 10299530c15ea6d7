"""A process that records a run until it is killed: DIRECTORY virtual|live."""

import itertools
import sys
from pathlib import Path

from matchbox_tui.engine import NewOrder
from sim.recording import RunWriter, Sample
from tests.sim.evidence import Story
from tests.sim.recording.runs import ROSTER, SCENARIO, facts


def main() -> None:
    story = Story()
    virtual = sys.argv[2] == "virtual"
    writer = RunWriter(Path(sys.argv[1]), facts(virtual=virtual), SCENARIO, ROSTER)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    for number in itertools.count():
        story.entries.clear()
        story.fills.clear()
        # Many orders in each, so that chunks fill up soon.
        story.commit(*(order for _ in range(20) for order in trade(story)))
        writer.entry(story.entries[0])
        for fill in story.fills:
            writer.fill(fill)
        writer.sample(Sample(number, story.exchange.seq, 0, "a", 1))


def trade(story: Story) -> tuple[NewOrder, NewOrder]:
    return story.sell(50, 5, trader="ann"), story.buy(50, 5, trader="bob")


if __name__ == "__main__":
    main()
