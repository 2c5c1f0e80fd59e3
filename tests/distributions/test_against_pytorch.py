"""Every method of every distribution: values, samples, gradients, texts, errors."""

from __future__ import annotations

import pytest

from .cases import CASES, METHODS, outcome, same

pytestmark = pytest.mark.filterwarnings("ignore")

PAIRS = [(name, method) for name in CASES for method in METHODS]


@pytest.mark.parametrize(("name", "method"), PAIRS)
def test_methods(name: str, method: str) -> None:
    case, expression = CASES[name], METHODS[method]
    expected = outcome("torch", case, expression)
    same(outcome("wengert", case, expression), expected, case.rtol)


# PyTorch's gradients of proportions that are rounded to 1 are noise there.
SINGLE = sorted(set(CASES) - {"dirichlet_in_corners"})


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("method", ["sample", "samples", "rsample", "log_prob", "mean"])
def test_single_precision(name: str, method: str) -> None:
    case, expression = CASES[name], METHODS[method]
    expected = outcome("torch", case, expression, "float32")
    same(outcome("wengert", case, expression, "float32"), expected, 1e-3)


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].outside])
def test_values_outside_of_the_support(name: str) -> None:
    case = CASES[name]
    expected = outcome("torch", case, "d.log_prob(outside)")
    assert expected[0] == "ValueError"
    assert outcome("wengert", case, "d.log_prob(outside)") == expected
