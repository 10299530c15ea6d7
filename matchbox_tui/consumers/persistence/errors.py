"""What can go wrong between us and the database, in words for a person."""

import re

from sqlalchemy import exc


class DatabaseError(Exception):
    """The base: `str()` is one line that says what happened and what to do."""


class DatabaseUnusable(DatabaseError):
    """It can't be worked with: a wrong URL, a missing driver, a newer program's tables."""


class DatabaseTrouble(DatabaseError):
    """It can't be worked with now: locked, full, gone. Nothing of the batch was written."""


class TakesTooLong(DatabaseTrouble):
    """It works, and could not answer in time: what was asked is too much."""


class Overtaken(DatabaseError):
    """Another copy has written what this one was about to; nothing of it was written again."""


_FIXES = (
    (
        r"database is locked|lock timeout",
        "another program holds its lock: end that, or let it commit",
    ),
    (r"disk is full|No space left|disk full", "the disk is full: make room there"),
    (r"unable to open database file", "can't open the file: check that its directory is there"),
    (r"readonly database|read-only", "no permission to write: change that of file and directory"),
    (r"not a database|malformed", "the file is no SQLite database, or damaged: name another one"),
    (r"disk I/O error", "reading or writing the file failed: look at its disk"),
    (r"password authentication|no password supplied", "put user and password into DATABASE_URL"),
    (r"role \S+ does not exist", "create that user, or put another one into DATABASE_URL"),
    (r"database \S+ does not exist", "create that database, or name another in DATABASE_URL"),
    (r"invalid connection option", "leave that option out of DATABASE_URL"),
    (r"permission denied", "grant that to the user in DATABASE_URL"),
    (
        r"connection refused|could not connect|connection failed|No such file|resolve"
        r"|server closed|terminating connection|consuming input failed|connection is lost|timeout",
        "can't reach the server: start it, or check DATABASE_URL",
    ),
)
_CONTRADICTIONS = {"IntegrityError", "DataError", "ProgrammingError"}
"""As the drivers name them: trying again would not help."""

_WRONG = re.compile("not a database|malformed|invalid connection option")
_LONG = re.compile("statement timeout|^interrupted")


def no_answer(shown: str) -> DatabaseTrouble:
    """The error of a server that takes what it is sent, and says nothing."""
    return DatabaseTrouble(f"database {shown}: no answer: look after its server, it may hang")


def explained(shown: str, error: Exception) -> DatabaseError:
    """The error in our words, for the database that is shown as `shown`."""
    cause = error.orig if isinstance(error, exc.DBAPIError) and error.orig else error
    said = " ".join(str(cause).split()) or type(cause).__name__
    if _LONG.search(said):
        return TakesTooLong(f"database {shown}: that takes too long: ask for less ({said[:200]})")
    for pattern, fix in _FIXES:
        if re.search(pattern, said, re.IGNORECASE):
            kind = DatabaseUnusable if _WRONG.search(said) else DatabaseTrouble
            return kind(f"database {shown}: {fix} ({said[:200]})")
    if _CONTRADICTIONS & {kind.__name__ for kind in type(cause).__mro__}:
        return DatabaseUnusable(
            f"database {shown}: its tables are not as this program left them ({said[:200]}):"
            " name another one"
        )
    return DatabaseTrouble(f"database {shown}: {said[:300]}")
