"""What a simulated run's directory tells beside the venue's own data."""

import msgspec

RUN = "run.json"
SCENARIO = "scenario.toml"
ROSTER = "roster.json"
SAMPLES = "samples.gz"
FAULTS = "faults.json"
INDEX = "index.json"
CHECKPOINTS = "checkpoints.gz"
MEASURES = "measures.json"
VERDICT = "verdict.json"
REPORT = "report.html"


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Written at the start. `start` is the run's time zero, in ns since the epoch (of the virtual
    clock where `virtual`); `created` is the wall clock's; `versions` are of Python, Matchbox and
    whatever else could make a run differ.
    """

    scenario: str
    seed: int
    virtual: bool
    start: int
    duration: int
    created: int
    versions: dict[str, str]


class Trader(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Who traded: an agent's name, its kind and its market. The roster is a list of these."""

    name: str
    kind: str
    market: str


class Sample(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How the venue stood at a time, in ns since the run's start: `seq` commands were committed,
    `waiting` were in the queue, `leader` led ("" for nobody) in `epoch`.
    """

    at: int
    seq: int
    waiting: int
    leader: str
    epoch: int


class FaultRow(msgspec.Struct, frozen=True, kw_only=True):
    """A fault, and what became of it. `at` is in ns since the run's start, the rest in us from
    then; None: never, or not part of this fault. `refused` counts commits that came too late and
    were refused. `cut_short`: the run ended before anything could come of it.
    """

    kind: str
    who: str
    at: int
    old_epoch: int
    new_epoch: int
    new_leader: str
    elected_us: int | None = None
    back_us: int | None = None
    recovered_us: int | None = None
    refused: int = 0
    cut_short: bool = False
