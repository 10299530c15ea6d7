"""The events of one command at a time."""

from collections.abc import Iterator

from matchbox_tui.engine import Event


def groups(events: list[Event]) -> Iterator[tuple[int, list[Event]]]:
    """Each command's number and its events, in their order."""
    start = 0
    for place in range(1, len(events) + 1):
        if place == len(events) or events[place].seq != events[start].seq:
            yield events[start].seq, events[start:place]
            start = place
