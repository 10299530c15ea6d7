"""A run's scorecard."""

from collections.abc import Sequence

from sim.measuring import JournalFold, evidence_of
from sim.realism.form import Scorecard
from sim.realism.scoring import score_market
from sim.realism.tape import Tapes
from sim.recording import RecordingError, Run


def score(run: Run, markets: Sequence[str] = ()) -> Scorecard:
    """Holds a recorded run's markets against what real ones are like, in one fold of its journal;
    `markets` names those of interest, else they are the first that were traded in.

    O(events), in bounded memory. Raises `RecordingError`.
    """
    evidence = evidence_of(run)
    tapes = Tapes(evidence.facts.start, evidence.end, markets)
    fold = JournalFold(evidence, tapes)
    for entry in evidence.journal():
        fold.read(entry)
    if fold.problem:
        raise RecordingError(fold.problem)
    fold.finish()
    return scorecard(tapes)


def scorecard(tapes: Tapes) -> Scorecard:
    """What tapes that were watched to the end tell. Some seconds at most, in bounded memory."""
    return Scorecard([score_market(tape, tapes.step) for tape in tapes.tapes()])
