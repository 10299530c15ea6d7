"""Breaking off what takes too long: a server that hangs would be waited for without end.

No setting of PostgreSQL helps there: it is the server that keeps its own timeouts.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection


class Watched:
    """A block of calls over one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.broken_off = False


class Watch:
    """Watches over what a database is asked, from whatever thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: set[Watched] = set()
        self._over = False

    @contextlib.contextmanager
    def over(self, watched: Watched, seconds: float | None = None) -> Iterator[None]:
        """Has the block end by an error of the driver's after so many seconds; None: never."""
        timer = threading.Timer(seconds, self._break_off, (watched,)) if seconds else None
        with self._lock:
            self._under_way.add(watched)
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            if self._over:
                self._break_off(watched)
            yield
        finally:
            if timer is not None:
                timer.cancel()
            with self._lock:
                self._under_way.remove(watched)
            if watched.broken_off:
                # Whether its user has noticed or not.
                watched.connection.invalidate()

    def break_off(self) -> None:
        """Ends every block that is under way, or comes later, as if its time were over."""
        with self._lock:
            self._over = True
            under_way = list(self._under_way)
        for watched in under_way:
            self._break_off(watched)

    def _break_off(self, watched: Watched) -> None:
        with self._lock:
            # Later the connection may be somebody else's.
            if watched in self._under_way:
                watched.broken_off = True
                _interrupt(watched.connection.connection.driver_connection)


def _interrupt(driver: Any) -> None:
    """Ends the call that another thread is in."""
    if hasattr(driver, "interrupt"):
        driver.interrupt()
        return
    # Whoever waits for an answer is woken by the connection's end; it may be over already.
    with contextlib.suppress(Exception), socket.socket(fileno=os.dup(driver.fileno())) as copy:
        copy.shutdown(socket.SHUT_RDWR)
