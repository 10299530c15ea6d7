"""Who can do harm to the venue: the parent of its processes, where the app runs inside `play`."""

from enum import StrEnum
from typing import Protocol


class Fault(StrEnum):
    """What can be done to the venue, in the words of what was done."""

    KILL = "killed"
    FREEZE = "frozen"
    STOP = "stopped"
    SERVER = "server killed"


class Operator(Protocol):
    """Does it for real: signals to processes, and to the private server.

    Each method returns what was done, as one would type it, or raises `ValueError` with the reason
    why it can't be done.
    """

    @property
    def hash_every(self) -> int:
        """Every so many commands the instances publish their state hash; 0 never."""

    async def kill(self, instance: str) -> str:
        """SIGKILL."""

    async def freeze(self, instance: str) -> str:
        """SIGSTOP."""

    async def thaw(self) -> str:
        """SIGCONT to whoever is frozen."""

    async def stop(self, instance: str) -> str:
        """SIGTERM."""

    async def restart(self) -> str:
        """Starts anew every process that has ended: instances, and the traders."""

    async def kill_server(self) -> str:
        """SIGKILL to the private server, and starts it again."""

    def traders_ended(self) -> str:
        """How the traders' process ended, or nothing while it runs and where there is none."""

    def frozen(self) -> str:
        """The instance that is frozen, or nothing."""

    def deposed_words(self, instance: str) -> str:
        """What the instance said when its lead was refused, or nothing."""
