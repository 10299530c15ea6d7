"""Each figure, of series of which it is known."""

import math
import random

import pytest

from sim.realism import statistics
from sim.realism.statistics import (
    autocorrelations,
    correlation,
    dispersion,
    excess_kurtosis,
    hurst,
    mean,
    sums,
    tail_index,
)
from tests.sim.realism import series

MANY = 20_000


def test_a_series_without_memory_has_no_autocorrelation() -> None:
    assert max(map(abs, autocorrelations(series.normal(MANY), range(1, 30)))) < 0.03


@pytest.mark.parametrize("phi", [0.6, -0.4])
def test_ar1_falls_off_by_its_factor(phi: float) -> None:
    found = autocorrelations(series.autoregressive(MANY, phi), (1, 2, 3))
    assert found == pytest.approx([phi, phi**2, phi**3], abs=0.03)


def test_autocorrelation_by_hand() -> None:
    # 1, 2, 3, 4 off their mean: -1.5, -0.5, 0.5, 1.5.
    assert autocorrelations([1, 2, 3, 4], (1, 3)) == [1.25 / 5, -2.25 / 5]


def test_kurtosis_is_that_of_the_distribution() -> None:
    dice = random.Random(1)
    assert excess_kurtosis(series.normal(MANY)) == pytest.approx(0, abs=0.15)
    assert excess_kurtosis([dice.random() for _ in range(MANY)]) == pytest.approx(-1.2, abs=0.05)
    laplace = [dice.expovariate(1) * dice.choice((-1, 1)) for _ in range(MANY)]
    assert excess_kurtosis(laplace) == pytest.approx(3, abs=0.6)
    assert excess_kurtosis([-1, 1, -1, 1]) == -2


@pytest.mark.parametrize("exponent", [2.5, 4.0])
def test_a_power_laws_exponent_is_found(exponent: float) -> None:
    dice = random.Random(2)
    pareto = [dice.paretovariate(exponent) * dice.choice((-1, 1)) for _ in range(MANY)]
    assert tail_index(pareto, 1000) == pytest.approx(exponent, rel=0.1)


def test_a_tail_of_rounded_values_is_that_of_the_values() -> None:
    rounded = [round(2 * one / 3) / 2 for one in series.student(MANY)]
    assert tail_index(rounded, MANY // 40, 0.5) == pytest.approx(3, abs=0.4)
    assert tail_index(series.normal(MANY), MANY // 40) > 5


def test_waits_of_a_poisson_process_spread_like_their_mean() -> None:
    assert dispersion(series.poisson(MANY)) == pytest.approx(1, abs=0.03)
    assert dispersion([5, 5, 5]) == 0
    assert dispersion([1, 3]) == 0.5


def test_the_hurst_exponent_tells_memory_from_none() -> None:
    assert hurst(series.coins(200_000), 10, 1000) == pytest.approx(0.5, abs=0.05)
    # Pieces of a power law of exponent 1.5 give (3 - 1.5) / 2.
    assert hurst(series.split_orders(200_000), 10, 1000) == pytest.approx(0.75, abs=0.1)
    assert hurst([-1, 1] * 5000, 1, 11) == pytest.approx(0, abs=0.01)


def test_correlation_and_sums() -> None:
    assert correlation([1, 2, 3], [10, 20, 30]) == pytest.approx(1)
    assert correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    assert abs(correlation(series.normal(MANY), series.normal(MANY, seed=9))) < 0.03
    assert sums([1, 2, 3, 4, 5], 2) == [3, 7]
    assert mean([1, 2]) == 1.5


@pytest.mark.parametrize(
    "figure",
    [
        lambda: mean([]),
        lambda: autocorrelations([1, 2], (2,)),
        lambda: autocorrelations([7, 7, 7], (1,)),
        lambda: excess_kurtosis([3, 3]),
        lambda: tail_index([1, 2, 3], 3),
        lambda: tail_index([0, 0, 0, 0], 2),
        lambda: tail_index([2, 2, 2, 2], 2),
        lambda: dispersion([0, 0]),
        lambda: dispersion([]),
        lambda: correlation([1, 1], [1, 2]),
        lambda: hurst([1, 2, 3], 1, 2),
        lambda: hurst([2] * 50, 1, 10),
        lambda: hurst([-1, 1] * 50, 1, 10),
    ],
)
def test_a_series_that_has_no_such_figure_is_refused(figure) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"\w"):
        figure()


def test_no_figure_is_that_of_a_machine() -> None:
    """Sums are exact, so that the order of terms and the processor don't matter."""
    values = series.student(2000)
    shuffled = sorted(values)
    assert excess_kurtosis(values) == pytest.approx(excess_kurtosis(shuffled), rel=1e-14)
    assert statistics.moments([1e16, 1, -1e16]) == (
        pytest.approx(1 / 3, rel=1e-12),
        pytest.approx(2e32 / 3),
    )
    assert math.isfinite(statistics.moments([1e150, -1e150])[1])
