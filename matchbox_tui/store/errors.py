"""What can go wrong between us and the server, in words for a person."""


class StoreError(Exception):
    """The base: `str()` is one line that says what happened and what to do."""


class Unreachable(StoreError):
    """No connection could be made; nothing was sent."""


class Unusable(StoreError):
    """The server answers but can't serve a venue: wrong address, password, version or settings."""


class InDoubt(StoreError):
    """The connection was lost after sending: the server may have carried it out or not."""


class Refused(StoreError):
    """The server answered with an error and changed nothing."""


class Overloaded(Refused):
    """The order queue is full; nothing of the batch was queued."""


class JournalBroken(StoreError):
    """A journal entry doesn't continue the one before it, or can't be read by this version."""


class SnapshotUnusable(StoreError):
    """A recovery snapshot is torn, altered, gone, or from a newer program: `str()` says which."""


class StoreSetBack(JournalBroken):
    """The store is at an older state than was seen before: a backup was restored, or it was
    emptied.
    """
