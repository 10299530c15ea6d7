"""Faults: how long nobody leads, who leads next, and what came of it."""

from functools import partial

import msgspec

from sim.agents import Dice
from sim.recording.run import FaultRow
from sim.recording.run_writer import RunWriter
from sim.scenario import Cut, Fault, Kill, Pause, RestartServer, Stop
from sim.virtual.agenda import Agenda
from sim.virtual.venue import Venue

MS = 1_000_000

SERVER = "server"
"""Who is hit when the server is."""

TAKEOVER: dict[type[Fault], tuple[int, int]] = {
    Kill: (8 * MS, 28 * MS),
    Stop: (11 * MS, 35 * MS),
    Cut: (8 * MS, 24 * MS),
}
"""How long nobody leads, in ns, anything between the two alike: from the shortest that was measured
on as far beyond the median as that is beyond the shortest.
"""

PAUSE = (-6 * MS, 2 * MS)
"""The same for a leader that is paused, counted from the lease's end."""

RESTART = (70 * MS, 608 * MS)
"""The same for the server."""

LOOK = (1 * MS, 20 * MS)
"""From the server's being back to somebody's seeing that nobody leads; part of `RESTART`."""

START_NS = 500 * MS
"""What an instance takes to start."""


class Outages:
    """The instances, and what happens to them. Calls `Venue.fall` and `Venue.lead`.

    A fault that comes when nobody leads waits until somebody does. Instances that were killed or
    stopped are started again, the others mended, once another one leads.
    """

    def __init__(
        self,
        agenda: Agenda,
        venue: Venue,
        writer: RunWriter,
        instances: int,
        lease: int,
        chance: Dice,
    ) -> None:
        self.problems: list[str] = []
        self._agenda = agenda
        self._venue = venue
        self._writer = writer
        self._names = [f"node-{number}" for number in range(1, instances + 1)]
        self._away: set[str] = set()
        self._lease = lease
        self._chance = chance
        self._waiting: list[Fault | RestartServer] = []
        self._open: list[FaultRow] = []
        """Faults since the last commit."""

    def begin(self) -> None:
        """The first instance leads."""
        self._venue.lead(self._names[0])

    def strike(self, fault: Fault | RestartServer) -> None:
        """The fault happens now, or once somebody leads."""
        if not self._venue.leader:
            self._waiting.append(fault)
        elif isinstance(fault, RestartServer):
            self._restart_server()
        else:
            self._hit(fault)

    def _committed(self) -> None:
        """The first commit since: the market has gone on."""
        now = self._agenda.now
        rows, self._open = self._open, []
        for row in rows:
            self._writer.fault(msgspec.structs.replace(row, recovered_us=(now - row.at) // 1000))

    def finish(self, ended: int, *, interrupted: bool = False) -> None:
        """The run is over: what has not gone on by now never did, or had no time to. `ended` is
        when, in ns since its start: nobody has acted since.
        """
        for row in self._open:
            led = row.at + (row.elected_us or 0) * 1000
            self._writer.fault(msgspec.structs.replace(row, cut_short=interrupted or led >= ended))
        for fault in self._waiting:
            name = type(fault).__struct_config__.tag
            self.problems.append(f"{name} at {fault.at} ns: nobody led from then on")
        self._open, self._waiting = [], []

    def _hit(self, fault: Fault) -> None:
        venue = self._venue
        leader = venue.leader
        who = leader if fault.who == "leader" else fault.who
        kind = str(type(fault).__struct_config__.tag)
        if who not in self._names:
            self.problems.append(f"{kind} {who}: there is no such instance")
            return
        # What the leader had taken goes nowhere, and is told so where it still can be heard.
        refused = int(who == leader and isinstance(fault, Pause) and venue.committing)
        away = self._takeover(fault)
        row = self._row(kind, who, refused)
        ends = isinstance(fault, Kill | Stop)
        if who != leader:
            self._away.add(who)
            self._agenda.at(self._agenda.now + START_NS if ends else away, partial(self._back, who))
            self._await_commit(row)
            return
        venue.fall()
        others = [name for name in self._after(who) if name not in self._away]
        if not others and ends:
            # It is all alone, and must be started again first.
            away += START_NS
        elif others:
            self._away.add(who)
        back = START_NS if ends and others else 0
        self._agenda.at(away, partial(self._elect, row, others[0] if others else who, back))

    def _takeover(self, fault: Fault) -> int:
        """When the next instance leads."""
        if isinstance(fault, Pause):
            least, most = (max(MS, self._lease + one) for one in PAUSE)
        else:
            least, most = TAKEOVER[type(fault)]
        return self._agenda.now + self._chance.between(least, most)

    def _restart_server(self) -> None:
        agenda, venue = self._agenda, self._venue
        takes = self._chance.between(*RESTART)
        back = takes - self._chance.between(*LOOK)
        row = self._row("restart-server", SERVER, 0)
        row = msgspec.structs.replace(row, back_us=back // 1000)
        others = [name for name in self._after(venue.leader) if name not in self._away]
        heir = others[0] if others else venue.leader
        venue.fall()
        agenda.at(agenda.now + takes, partial(self._elect, row, heir, 0))

    def _elect(self, row: FaultRow, heir: str, back: int) -> None:
        """Somebody leads again; `back` ns later the one who did is back."""
        agenda, venue = self._agenda, self._venue
        now = agenda.now
        venue.lead(heir)
        agenda.at(now + back, partial(self._back, row.who))
        self._await_commit(
            msgspec.structs.replace(
                row,
                new_epoch=venue.epoch,
                new_leader=heir,
                elected_us=(now - row.at) // 1000,
            )
        )
        if self._waiting:
            self.strike(self._waiting.pop(0))

    def _await_commit(self, row: FaultRow) -> None:
        self._open.append(row)
        self._venue.hear = self._committed

    def _back(self, who: str) -> None:
        self._away.discard(who)

    def _row(self, kind: str, who: str, refused: int) -> FaultRow:
        """As if nothing came of it."""
        venue = self._venue
        return FaultRow(
            kind=kind,
            who=who,
            at=self._agenda.now,
            old_epoch=venue.epoch,
            new_epoch=venue.epoch,
            new_leader=venue.leader,
            refused=refused,
        )

    def _after(self, name: str) -> list[str]:
        """The other instances, the next one first."""
        place = self._names.index(name)
        return self._names[place + 1 :] + self._names[:place]
