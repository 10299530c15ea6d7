"""How long requests took."""

from hypothesis import given
from hypothesis import strategies as st

from matchbox_tui.tui.latency import SAMPLES_KEPT, Latencies, Sample, summarise


def one(latencies: Latencies, key: str, sent: int, acknowledged: int, painted: int) -> None:
    latencies.sent([key], sent)
    latencies.acknowledged([key], acknowledged)
    latencies.painted([key], painted)


def test_a_request_is_timed_to_its_answer_and_to_the_frame_with_its_outcome() -> None:
    latencies = Latencies()
    one(latencies, "a", 100, 130, 190)
    assert list(latencies.samples) == [Sample(30, 90)]


def test_the_outcome_may_be_painted_before_the_answer_is_here() -> None:
    latencies = Latencies()
    latencies.sent(["a"], 100)
    latencies.painted(["a"], 150)
    assert not latencies.samples
    latencies.acknowledged(["a"], 160)
    assert list(latencies.samples) == [Sample(60, 50)]


def test_only_requests_whose_outcome_is_known_are_waiting_to_be_painted() -> None:
    latencies = Latencies()
    latencies.sent(["a", "b"], 100)
    still_open = {"b"}
    assert latencies.settled(still_open.__contains__) == ["a"]
    latencies.painted(["a"], 120)
    assert latencies.settled(still_open.__contains__) == []


def test_what_was_refused_or_left_no_trace_is_no_sample() -> None:
    latencies = Latencies()
    latencies.sent(["a"], 100)
    latencies.forget("a")
    latencies.acknowledged(["a"], 110)
    latencies.painted(["a"], 120)
    assert latencies.summary() is None


def test_the_oldest_samples_go_first() -> None:
    latencies = Latencies()
    for n in range(SAMPLES_KEPT + 5):
        one(latencies, "a", 0, n, n)
    assert latencies.samples[0] == Sample(5, 5)
    assert latencies.taken == SAMPLES_KEPT + 5


def test_percentiles_of_a_hundred() -> None:
    summary = summarise(Sample(n, 10 * n) for n in range(100, 0, -1))
    assert summary is not None
    assert (summary.count, summary.acknowledged, summary.painted) == (100, (50, 99), (500, 990))


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_a_percentile_is_the_least_value_that_covers_its_share(values: list[int]) -> None:
    summary = summarise(Sample(value, 0) for value in values)
    assert summary is not None
    for share, value in zip((50, 99), summary.acknowledged, strict=True):
        assert value in values
        assert 100 * sum(other <= value for other in values) >= share * len(values)
        assert 100 * sum(other < value for other in values) < share * len(values)
