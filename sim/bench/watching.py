"""A subscriber of the journal that notes when it saw what, and nothing else."""

import threading
import time

from matchbox_tui.store import Keys
from sim.bench.line_jobs import Seen, SeenJob, WatchJob
from sim.bench.wire import Wire, packed

BLOCK_MS = 200
AT_ONCE = 100


class Watch:
    """Reads the journal in a thread, from its end on."""

    def __init__(self, job: WatchJob) -> None:
        self._wire = Wire(job.url)
        last = self._wire.call("XREVRANGE", Keys().log, "+", "-", "COUNT", 1)
        self._last: bytes = last[0][0] if last else b"0-0"
        self._entries: list[tuple[int, int]] = []
        self._told = 0
        self._trouble = ""
        self._grown = threading.Condition()
        threading.Thread(target=self._run, daemon=True).start()

    def seen(self, job: SeenJob) -> Seen:
        """What was seen since the last time."""
        with self._grown:
            self._grown.wait_for(lambda: self._reached(job.seq), job.patience)
            told, self._told = self._told, len(self._entries)
            return Seen(self._entries[told:], self._trouble)

    def _reached(self, seq: int) -> bool:
        return bool(self._trouble or (self._entries and self._entries[-1][0] >= seq))

    def _run(self) -> None:
        try:
            while True:
                self._read()
        except Exception as error:
            with self._grown:
                self._trouble = str(error) or type(error).__name__
                self._grown.notify_all()

    def _read(self) -> None:
        command = ("XREAD", "COUNT", AT_ONCE, "BLOCK", BLOCK_MS, "STREAMS", Keys().log, self._last)
        (reply,) = self._wire.ask(packed(command), 1)
        now = time.perf_counter_ns()
        if not reply:
            return
        ids = [entry[0] for entry in reply[0][1]]
        self._last = ids[-1]
        with self._grown:
            self._entries += [(int(one.partition(b"-")[0]), now) for one in ids]
            self._grown.notify_all()
