"""What a worker process is asked to do, and what it answers: one line of JSON each."""

import msgspec

from sim.bench.figures import Latency


class GetJob(msgspec.Struct, frozen=True, tag="get"):
    """GET `path` over keep-alive connections, each asking again once it was answered."""

    port: int
    path: str
    connections: int
    seconds: float


class OrdersJob(msgspec.Struct, frozen=True, tag="orders"):
    """POST orders likewise; `batch` orders a request, or a single one each where it is 0."""

    port: int
    connections: int
    seconds: float
    seed: int
    batch: int = 0


class SubmitJob(msgspec.Struct, frozen=True, tag="submit"):
    """Submits batches through as many clients of the store, `most` orders at most: no leader takes
    them as quickly, and a full queue refuses more.
    """

    url: str
    connections: int
    seconds: float
    seed: int
    batch: int
    most: int


class FillsJob(msgspec.Struct, frozen=True, tag="fills"):
    """Makes so many fills a second, evenly, for so long."""

    url: str
    rate: int
    seconds: float


class ConnectJob(msgspec.Struct, frozen=True, tag="connect"):
    """Connects so many WebSocket clients, for a `ListenJob`."""

    port: int
    clients: int


class ListenJob(msgspec.Struct, frozen=True, tag="listen"):
    """Reads so long, and on until every client has so many fills or the patience is over; then
    the clients leave.
    """

    fills: int
    seconds: float
    patience: float


class FlowJob(msgspec.Struct, frozen=True, tag="flow"):
    """Submits commands that make so many events a second, evenly, for so long."""

    url: str
    rate: int
    seconds: float


class SoakJob(msgspec.Struct, frozen=True, tag="soak"):
    """Submits commands until so many of them were new orders, of which there are at most `rate` a
    second. The book stays as it is.
    """

    url: str
    orders: int
    rate: int


class TallyJob(msgspec.Struct, frozen=True, tag="tally"):
    """Tells how far the journal was folded; the first one begins to."""

    url: str


class SimJob(msgspec.Struct, frozen=True, tag="sim"):
    """A virtual run of so many agents, of whom each frequent one acts every `every` ns on average,
    for so many seconds of real time; and the engine alone with its commands.
    """

    agents: int
    every: int
    seconds: float
    seed: int


class RaceJob(msgspec.Struct, frozen=True, tag="race"):
    """The same commands through this engine and its peers; `check` compares their trades first."""

    ticks: int
    commands: int
    seed: int
    check: bool


class SizeJob(msgspec.Struct, frozen=True, tag="size"):
    """So many commands in books of different sizes, that stay as big as they are."""

    sizes: list[int]
    commands: int


class LevelJob(msgspec.Struct, frozen=True, tag="level"):
    """One-lot takers on levels of so many orders."""

    sizes: list[int]
    takers: int


class GrowJob(msgspec.Struct, frozen=True, tag="grow"):
    """A book that grows to so many orders."""

    orders: int


class WeighJob(msgspec.Struct, frozen=True, tag="weigh"):
    """What a book of so many orders takes of memory."""

    orders: int
    traders: int


AloneJob = SimJob | RaceJob | SizeJob | LevelJob | GrowJob | WeighJob

Job = (
    GetJob
    | OrdersJob
    | SubmitJob
    | FillsJob
    | ConnectJob
    | ListenJob
    | FlowJob
    | SoakJob
    | TallyJob
    | AloneJob
)


class Load(msgspec.Struct, frozen=True, tag="load"):
    """What came of a job: requests that were answered well, and orders acknowledged by them.

    `refused` requests were told to come again later, and queued nothing. `wrong` tells of answers
    that must not be; the first few of them.
    """

    requests: int
    orders: int
    seconds: float
    latency: Latency | None
    refused: int = 0
    wrong: list[str] = []

    @property
    def requests_a_second(self) -> float:
        return self.requests / self.seconds

    @property
    def orders_a_second(self) -> float:
        return self.orders / self.seconds


class Connected(msgspec.Struct, frozen=True, tag="connected"):
    """That many clients are."""

    clients: int


class Heard(msgspec.Struct, frozen=True, tag="heard"):
    """What came of a `ListenJob`: fills of all clients together, and what was wrong with them.

    `lost` were not got, or not in their place; `latency` is from the order to its fill.
    """

    fills: int
    lost: int
    disordered: int
    disconnected: int
    seconds: float
    latency: Latency | None


class Flowed(msgspec.Struct, frozen=True, tag="flowed"):
    """What came of a `FlowJob`: commands that were acknowledged, and the events they make."""

    commands: int
    events: int
    seconds: float
    latency: Latency | None
    wrong: list[str] = []


class Tally(msgspec.Struct, frozen=True, tag="tallied"):
    """What was folded by the moment `at`, and what that process has used of the processor, both in
    seconds. `trouble` says why it does not go on.
    """

    seq: int
    commits: int
    events: int
    fills: int
    at: float
    cpu_seconds: float
    trouble: str = ""


class Simulated(msgspec.Struct, frozen=True, tag="simulated"):
    """What came of a `SimJob`: the commands that agents sent, in how many seconds of real time and
    of their own; what the run's thread used of the processor, in seconds; commands a second of the
    engine `alone`; the most memory in MB.
    """

    actions: int
    seconds: float
    simulated_seconds: float
    cpu_seconds: float
    alone: float
    resident_mb: float
    wrong: list[str] = []


class Raced(msgspec.Struct, frozen=True, tag="raced"):
    """What came of a `RaceJob`: commands a second of each. `missing` says how to get a peer that is
    not there, `differs` where one that is trades otherwise.
    """

    rates: dict[str, float]
    commands: int
    missing: list[str]
    differs: dict[str, str]


class Rated(msgspec.Struct, frozen=True, tag="rated"):
    """What came of a `SizeJob` or `LevelJob`: a second, in the order of the sizes."""

    rates: list[float]


class Grown(msgspec.Struct, frozen=True, tag="grown"):
    """What came of a `GrowJob`: orders a second, and the longest that one of them took, in ms."""

    rate: float
    longest_ms: float
    untended_ms: float


class Weighed(msgspec.Struct, frozen=True, tag="weighed"):
    """What came of a `WeighJob`: bytes of a resting order, those of its message not counted."""

    bytes_each: float


Outcome = Load | Connected | Heard | Flowed | Tally | Simulated | Raced | Rated | Grown | Weighed
