"""Several objectives: each stays visible, and the scalar is what the weights say."""

import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_rewards.wrappers.vector import objectives_of

from tests.rewards.wrappers.stand_ins import make, run, told, wrapper


def vector(scalarisation: str, **objectives: object) -> dict:
    return wrapper("vector", objectives=objectives, scalarisation=scalarisation)


def test_each_objective_is_a_term_in_its_own_units_and_order(hardware: Hardware) -> None:
    spec = vector(
        "linear",
        fast={"source": told(-3.0, terms={"time": [9.0]}), "weight": 0.5},
        careful={"source": told(40.0), "weight": 0.0},
    )
    said = run(spec, hardware, 1)[0]
    assert objectives_of(said) == {"fast": -3.0, "careful": 40.0}
    assert list(objectives_of(said)) == ["fast", "careful"]
    assert said.terms["vector.fast.time"] == 9.0
    assert said.value == -1.5


def test_chebyshev_pays_minus_the_worst_lack(hardware: Hardware) -> None:
    spec = vector(
        "chebyshev",
        fast={"source": told(-3.0), "weight": 0.5, "ideal": 0.0},
        careful={"source": told(-1.0), "weight": 2.0, "ideal": 1.0},
    )
    assert run(spec, hardware, 1)[0].value == -4.0


def test_chebyshev_reaches_a_compromise_that_no_weighted_sum_prefers(hardware: Hardware) -> None:
    """Three choices on a concave front, met at steps 0 to 2: two extremes, and the compromise."""
    first, second = (-1.0, 0.0, -0.6), (0.0, -1.0, -0.6)

    def best(scalarisation: str, weight: float) -> int:
        spec = vector(
            scalarisation,
            first={"source": told(*first), "weight": weight},
            second={"source": told(*second), "weight": 1.0 - weight},
        )
        said = [each.value for each in run(spec, hardware, 3)]
        return max(range(3), key=said.__getitem__)

    assert 2 not in {best("linear", weight / 20) for weight in range(21)}
    assert best("chebyshev", 0.5) == 2


def test_success_needs_all_objectives_and_progress_is_their_mean(hardware: Hardware) -> None:
    one = {"source": told(0.0, success=[0.9], progress=[0.2]), "weight": 3.0}
    other = {"source": told(0.0, success=[0.4], progress=[1.0]), "weight": 1.0}
    silent = {"source": told(0.0)}
    said = run(vector("linear", one=one, other=other), hardware, 1)[0]
    assert (said.success, said.progress) == (0.4, pytest.approx(0.4))
    assert run(vector("linear", one=one, silent=silent), hardware, 1)[0].success is None


@pytest.mark.parametrize(
    ("objectives", "sentence"),
    [
        ({}, "at least one"),
        ({"a.b": {"source": told()}}, "without a dot"),
        ({"a": {"source": told(), "weight": 0.0}}, "a weight above 0"),
        ({"a": {"source": told(), "weight": -1.0}}, "at least 0"),
        ({"a": {"sauce": told()}}, "Did you mean 'source'"),
    ],
)
def test_a_wrong_configuration_is_refused(objectives: dict, sentence: str, hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match=sentence):
        make(wrapper("vector", objectives=objectives), hardware)
