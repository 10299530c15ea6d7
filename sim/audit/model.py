"""I4: what came of each command is what the naive model makes of it."""

import msgspec

from matchbox_tui.engine import (
    Command,
    Event,
    Malformed,
    NewOrder,
    decode_command,
    encode_command,
    encode_events,
)
from sim.audit.inferring import infer
from sim.audit.inspection import Inspection, some
from sim.naive import NaiveExchange

SHOWN = 240
"""Characters of an event that an offence shows."""


class ModelInspection(Inspection):
    """Re-executes the commands that the events answer and compares all of their events."""

    name = "I4"

    def __init__(self, model: NaiveExchange) -> None:
        super().__init__()
        self.model = model
        self._commands = 0
        self._events = 0
        self._in_part = 0

    def read(self, seq: int, events: list[Event]) -> None:
        self.inspected = True
        inferred = infer(events, self.model)
        if inferred is None:
            self.accuse(seq, "events of a command", shown(events[0]))
            return
        if not can_be_queued(inferred.command):
            self.accuse(seq, "a command with numbers of 64 bits", shown(events[0]))
            return
        expected = self.model.apply(inferred.command)
        if not inferred.whole:
            self._in_part += 1
            expected[0] = with_reason_of(expected[0], events[0])
        if expected != events:
            self.accuse(seq, *difference(expected, events))
            return
        self._commands += 1
        self._events += len(events)

    def counts(self) -> dict[str, int]:
        return {"commands": self._commands, "events": self._events, "in_part": self._in_part}

    def words(self) -> str:
        part = (
            f", {some(self._in_part, 'refusal')} checked in part, for the journal doesn't tell"
            " what was asked"
            if self._in_part
            else ""
        )
        return (
            f"{some(self._commands, 'command')} re-executed,"
            f" {some(self._events, 'event')} compared{part}"
        )


def can_be_queued(command: Command) -> bool:
    """Whether a queue can hold a command with these numbers: no reader takes larger ones."""
    match command:
        case NewOrder():
            # A journal with larger ones can't be read.
            return True
        case Malformed():
            return all(-(2**63) <= one < 2**63 for one in (command.order_id, command.timestamp))
        case _:
            return decode_command(encode_command(command)) == command


def with_reason_of(event: Event, told: Event) -> Event:
    """The event with the reason, and what goes with it, that the other one tells."""
    if type(event) is not type(told):
        return event
    changes = {
        name: getattr(told, name)
        for name in ("reason", "qty", "price")
        if name in event.__struct_fields__
    }
    return msgspec.structs.replace(event, **changes)


def difference(expected: list[Event], found: list[Event]) -> tuple[str, str]:
    """The first events that differ, in words."""
    for n in range(max(len(expected), len(found))):
        mine = expected[n] if n < len(expected) else None
        theirs = found[n] if n < len(found) else None
        if mine != theirs:
            return shown(mine), shown(theirs)
    raise ValueError("they are equal")


def shown(event: Event | None) -> str:
    """An event as the journal has it, cut where it is long."""
    if event is None:
        return "no more events"
    text = encode_events([event])[1:-1].decode()
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
