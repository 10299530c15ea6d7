"""Frames on the wire: of every size, as short as they can be, and read by a client's parser."""

import pytest
from websockets.frames import Frame, Opcode

from matchbox_tui.api.feeds.frames import PING, text_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_a_text_of_any_length(size: int) -> None:
    text = b"x" * size
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)


def test_a_ping() -> None:
    assert Frame(Opcode.PING, b"").serialize(mask=False) == PING
