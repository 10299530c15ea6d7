"""Commands as queue elements: what is read, and what becomes `Malformed`."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matchbox_tui.engine import (
    MAX_ELEMENT,
    CancelAll,
    CancelOrder,
    Command,
    CreateMarket,
    Exchange,
    ExpireOrders,
    HaltMarket,
    Malformed,
    Market,
    NewOrder,
    OrderType,
    ReplaceOrder,
    ResumeMarket,
    SelfTradePrevention,
    Side,
    Tagged,
    TimeInForce,
    decode_command,
    decode_events,
    encode_command,
    encode_events,
)
from tests.engine.build import buy

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

FULL = NewOrder(
    order_id=1,
    market="RAIN",
    side=Side.SELL,
    type=OrderType.MARKET,
    price=50,
    qty=10,
    timestamp=3,
    trader="ann",
    time_in_force=TimeInForce.GTD,
    expires_at=9,
    post_only=True,
    reduce_only=True,
    client_order_id="c1",
    self_trade_prevention=SelfTradePrevention.CANCEL_BOTH,
)
COMMANDS: list[tuple[str, NewOrder | Tagged]] = [
    ("new", FULL),
    ("cancel", CancelOrder(order_id=1, timestamp=2)),
    ("replace", ReplaceOrder(order_id=1, qty=12, price=51, timestamp=2)),
    ("cancel_all", CancelAll(trader="ann", market="RAIN", timestamp=2)),
    ("expire", ExpireOrders(2)),
    ("create_market", CreateMarket(Market("RAIN", title="t", max_price=99, tick=2), 2)),
    ("halt_market", HaltMarket("RAIN", 2)),
    ("resume_market", ResumeMarket("RAIN", 2)),
]


@pytest.mark.parametrize(("op", "command"), COMMANDS, ids=[op for op, _ in COMMANDS])
def test_a_command_survives_the_queue_under_its_name(op: str, command: NewOrder | Tagged) -> None:
    raw = encode_command(command)
    assert json.loads(raw).get("op", "new") == op
    assert decode_command(raw) == command


def test_the_original_matchbox_s_order_is_a_command() -> None:
    raw = b'{"id":1,"side":"buy","price":50,"qty":10,"timestamp":1}'
    assert decode_command(raw) == buy(1, 50, 10, timestamp=1)
    assert encode_command(buy(1, 50, 10, timestamp=1)).count(b":") == 5


@pytest.mark.parametrize(
    ("raw", "command"),
    [
        (b'{"op":"new","id":1,"side":"buy","price":50,"qty":10}', buy(1)),
        (b' {"qty":10 ,"price":50,\n"side":"buy","id":1 } ', buy(1)),
        (b'{"id":1,"side":"buy","price":50,"qty":10,"colour":["red"]}', buy(1)),
        (b'{"id":1,"side":"buy","price":50,"qty":10,"trader":"op"}', buy(1, trader="op")),
        (b'{"id":2,"id":1,"side":"buy","price":50,"qty":10}', buy(1)),
        (b'{"op":"cancel","id":1}', CancelOrder(order_id=1)),
        (b'{"id":1,"op":"cancel"}', CancelOrder(order_id=1)),
        (b'{"op":"replace","id":1,"qty":null,"price":5}', ReplaceOrder(order_id=1, price=5)),
        (b'{"op":"cancel_all","trader":"ann","market":null}', CancelAll(trader="ann")),
        (b'{"id":1,"side":"buy","price":0,"qty":-5}', buy(1, 0, -5)),
    ],
)
def test_what_is_read(raw: bytes, command: Command) -> None:
    assert decode_command(raw) == command


ORDER = '{"id":7,"side":"buy","price":50,"qty":10}'
MALFORMED: list[tuple[str, bytes, int]] = [
    ("empty", b"", 0),
    ("no json", b"hello", 0),
    ("cut off", b'{"id":7,"side":"buy"', 0),
    ("more after it", ORDER.encode() + b" x", 0),
    ("a list", b"[1,2,3]", 0),
    ("null", b"null", 0),
    ("a number", b"7", 0),
    ("an empty object", b"{}", 0),
    ("qty missing", b'{"id":7,"side":"buy","price":50}', 7),
    ("side unknown", ORDER.replace("buy", "hold").encode(), 7),
    ("side in capitals", ORDER.replace("buy", "BUY").encode(), 7),
    ("price as text", ORDER.replace("50", '"50"').encode(), 7),
    ("price a float", ORDER.replace("50", "50.5").encode(), 7),
    ("price a whole float", ORDER.replace("50", "50.0").encode(), 7),
    ("price with exponent", ORDER.replace("50", "5e1").encode(), 7),
    ("price null", ORDER.replace("50", "null").encode(), 7),
    ("price true", ORDER.replace("50", "true").encode(), 7),
    ("price a list", ORDER.replace("50", "[50]").encode(), 7),
    ("price NaN", ORDER.replace("50", "NaN").encode(), 0),
    ("price Infinity", ORDER.replace("50", "-Infinity").encode(), 0),
    ("qty beyond 64 bits", ORDER.replace("10", str(2**63)).encode(), 7),
    ("qty of 5000 digits", ORDER.replace("10", "9" * 5000).encode(), 7),
    ("id a float", ORDER.replace("7", "7.0").encode(), 0),
    ("id of 5000 digits", ORDER.replace("7", "7" * 5000).encode(), 0),
    ("id as text", ORDER.replace("7", '"7"').encode(), 0),
    ("post_only a number", ORDER.replace("}", ',"post_only":1}').encode(), 7),
    ("tif unknown", ORDER.replace("}", ',"time_in_force":"DAY"}').encode(), 7),
    ("trader too long", ORDER.replace("}", f',"trader":"{"x" * 65}"}}').encode(), 7),
    ("op unknown", b'{"op":"teleport","id":7}', 7),
    ("op a number", b'{"op":1,"id":7}', 7),
    ("op null", b'{"op":null,"id":7}', 7),
    ("cancel without an id", b'{"op":"cancel"}', 0),
    ("cancel by text", b'{"op":"cancel","id":"7"}', 0),
    ("wrong utf-8 in text", ORDER.replace("}", ',"trader":"').encode() + b'\xff\xfe"}', 7),
    ("wrong utf-8 outside", b'\xff{"id":7}', 0),
    ("half a surrogate pair", ORDER.replace("}", ',"trader":"\\ud800"}').encode(), 0),
    ("a byte order mark", b"\xef\xbb\xbf" + ORDER.encode(), 0),
    ("nul bytes", b"\x00" * 40, 0),
    ("deep in lists", b"[" * 10_000, 0),
    ("deep in objects", b'{"id":' * 2_000, 0),
    (
        "deep in a field that nobody reads",
        ORDER.replace("}", f',"x":{"[" * 6000}{"]" * 6000}}}').encode(),
        0,
    ),
]


@pytest.mark.parametrize(
    ("raw", "order_id"),
    [(raw, order_id) for _, raw, order_id in MALFORMED],
    ids=[name for name, _, _ in MALFORMED],
)
def test_what_is_malformed_keeps_its_first_bytes_and_never_stops_the_engine(
    raw: bytes, order_id: int
) -> None:
    command = decode_command(raw)
    assert isinstance(command, Malformed)
    assert command.order_id == order_id
    assert command.raw == raw[:256].decode("utf-8", "backslashreplace")
    venue = Exchange()
    events = venue.apply(command)
    assert [event.seq for event in events] == [1]
    assert decode_events(encode_events(events)) == events
    assert venue.orders == {}


def test_an_element_of_ten_megabytes_is_malformed_without_being_read() -> None:
    raw = ORDER.replace("}", f',"trader":"{"x" * 10_000_000}"}}').encode()
    assert decode_command(raw) == Malformed(raw[:256].decode(), 0)


def test_the_longest_element_that_is_read() -> None:
    padding = " " * (MAX_ELEMENT - len(ORDER))
    assert decode_command((ORDER + padding).encode()) == buy(7)
    assert isinstance(decode_command((ORDER + padding + " ").encode()), Malformed)


@pytest.mark.parametrize("op", ["cancel", "replace", "teleport"])
def test_of_two_ops_one_is_taken_or_none_but_nothing_breaks(op: str) -> None:
    raw = f'{{"op":"cancel","op":"{op}","id":7,"qty":5}}'.encode()
    command = decode_command(raw)
    assert getattr(command, "order_id", None) == 7
    assert Exchange().apply(command)


@patient
@given(st.binary(max_size=400))
def test_no_bytes_raise(raw: bytes) -> None:
    events = Exchange().apply(decode_command(raw))
    assert decode_events(encode_events(events)) == events


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=3,
)
names = st.sampled_from(
    ["id", "op", "side", "type", "price", "qty", "timestamp", "market", "trader", "expires_at"]
)
words = st.sampled_from(
    ["buy", "sell", "new", "cancel", "replace", "expire", "halt_market", "MAIN", "limit", "GTC"]
)


@patient
@given(st.dictionaries(names, words | st.integers(-2, 99) | values))
def test_no_json_raises(fields: dict[str, object]) -> None:
    venue = Exchange()
    events = venue.apply(decode_command(json.dumps(fields).encode()))
    assert decode_events(encode_events(events)) == events
    replayed = Exchange()
    replayed.replay(events)
    assert replayed.state_hash() == venue.state_hash()


@pytest.mark.parametrize("depth", [399, 400])
def test_how_deep_an_element_may_be_is_the_same_in_every_python(depth: int) -> None:
    element = ORDER.replace("}", f',"x":{"[" * depth}{"]" * depth}}}').encode()
    assert isinstance(decode_command(element), NewOrder if depth == 399 else Malformed)
