"""Processes to run seeds in, shared by all tests of a session."""

from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context

import pytest


@pytest.fixture(scope="session")
def pool() -> Iterator[Executor]:
    # Not forked: a fork would take over whatever the tests before have left open.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as executor:
        yield executor
