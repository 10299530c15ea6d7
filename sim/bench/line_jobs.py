"""What the workers of the pipeline's benchmark are asked, and what they answer: a line each."""

import msgspec


class ProduceJob(msgspec.Struct, frozen=True, tag="produce"):
    """Submits orders for so long, at most `batch` a call: so many a second, evenly; or, where
    `rate` is 0, as fast as the queue is worked off, with never many more than `window` in it.

    `limit` is the length of the queue beyond which the server refuses them.
    """

    url: str
    seconds: float
    batch: int
    rate: float
    limit: int
    window: int = 0


class PingJob(msgspec.Struct, frozen=True, tag="ping"):
    """PINGs, so many a second, evenly; each is waited for."""

    url: str
    seconds: float
    rate: float


class AddJob(msgspec.Struct, frozen=True, tag="add"):
    """XADDs an order's JSON to a stream of its own, so many commands in flight together."""

    url: str
    seconds: float
    depth: int


class OriginalJob(msgspec.Struct, frozen=True, tag="original"):
    """Queues so many orders for the original design's loop, and then runs that for so long."""

    url: str
    seconds: float
    orders: int


class WatchJob(msgspec.Struct, frozen=True, tag="watch"):
    """Reads the journal from now on, and notes when it saw what."""

    url: str


class SeenJob(msgspec.Struct, frozen=True, tag="seen"):
    """Asks for what was seen since the last time, once sequence `seq` was or so long has passed."""

    seq: int
    patience: float


LineJob = ProduceJob | PingJob | AddJob | OriginalJob | WatchJob | SeenJob


class Produced(msgspec.Struct, frozen=True, tag="produced"):
    """Orders that were acknowledged and refused. `sent` has, for each call that was acknowledged,
    how many orders had been up to there, and when the call was sent (ns). `wrong` tells of answers
    that must not be.
    """

    orders: int
    refused: int
    began: int
    seconds: float
    sent: list[tuple[int, int]]
    wrong: list[str]


class Done(msgspec.Struct, frozen=True, tag="done"):
    """So many of what was asked for, in that time; `times` in ns, where each was timed."""

    count: int
    seconds: float
    times: list[int] = []

    @property
    def rate(self) -> float:
        return self.count / self.seconds


class Seen(msgspec.Struct, frozen=True, tag="seen"):
    """The sequence up to which each entry went, and when it was there (ns)."""

    entries: list[tuple[int, int]]
    trouble: str = ""
