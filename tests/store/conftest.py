"""Stores of two rival instances on the test's own venue."""

from collections.abc import AsyncIterator

import pytest

from matchbox_tui.store import Keys, Server, Store


@pytest.fixture
async def store(url: str, keys: Keys) -> AsyncIterator[Store]:
    opened = Store(Server(url), keys, "a")
    yield opened
    await opened.close()


@pytest.fixture
async def rival(url: str, keys: Keys) -> AsyncIterator[Store]:
    opened = Store(Server(url), keys, "b")
    yield opened
    await opened.close()
