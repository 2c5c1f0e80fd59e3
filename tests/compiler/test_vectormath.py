"""The elementary functions against wider arithmetic, densely, and at special values."""

import numpy as np
import pytest

from wengert.compiler.graph import Graph
from wengert.compiler.program import compile_graph

mpmath = pytest.importorskip("mpmath")

LIMIT = 2.0  # ulp
FUNCTIONS = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sin": np.sin,
    "cos": np.cos,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
}
WIDER = {"float32": np.float64, "float64": np.longdouble}
extended = pytest.mark.skipif(
    np.finfo(np.longdouble).nmant < 63, reason="long double is double here"
)
DTYPES = ["float32", pytest.param("float64", marks=extended)]


def compiled(op: str, *arrays: np.ndarray) -> np.ndarray:
    graph = Graph()
    graph.outputs = [graph.add(op, [graph.input(x) for x in arrays])]
    return compile_graph(graph).run(arrays)[0]


def worst_error(found: np.ndarray, exact: np.ndarray) -> float:
    """The largest error in ulp; infinite where a non-finite result differs."""
    rounded = exact.astype(found.dtype)
    finite = np.isfinite(rounded)
    same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    if not same[~finite].all():
        return np.inf
    ulp = np.spacing(np.abs(rounded[finite])).astype(exact.dtype)
    return float(np.max(np.abs(found[finite] - exact[finite]) / ulp))


def samples(dtype: str) -> np.ndarray:
    """Every 2**13th float of all, and more where functions have their shape."""
    rng = np.random.default_rng(0)
    if dtype == "float32":
        every = np.arange(0, 2**32, 2**13, dtype=np.uint64).astype(np.uint32)
        spread = every.view(np.float32)
    else:
        spread = rng.integers(-(2**63), 2**63 - 1, 2**18).view(np.float64)
    parts = [rng.uniform(-a, a, 2**16) for a in (0.01, 1, 10, 100, 800)]
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5]
    return np.concatenate([spread, *(np.array(p, dtype) for p in (*parts, special))])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", FUNCTIONS)
def test_functions_within_two_ulp(op, dtype):
    x = samples(dtype)
    with np.errstate(all="ignore"):
        exact = FUNCTIONS[op](x.astype(WIDER[dtype]))
        if op in ("sin", "cos") and dtype == "float64":
            trusted = np.abs(x) < 2.0**60  # long double's own reduction ends
            x, exact = x[trusted], exact[trusted]
        assert worst_error(compiled(op, x), exact) <= LIMIT


@pytest.mark.parametrize("op", ["sin", "cos"])
def test_huge_angles(op):
    x = np.array([1e9, -3e15, 1e22, 1.7e308, 2.0**500, 5.0])
    exact = np.array([float(getattr(mpmath, op)(mpmath.mpf(v))) for v in x])
    with mpmath.workdps(400):
        exact = np.array([float(getattr(mpmath, op)(mpmath.mpf(v))) for v in x])
    assert worst_error(compiled(op, x), exact) <= LIMIT


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_erf(dtype):
    rng = np.random.default_rng(1)
    x = np.concatenate(
        [rng.uniform(-6.5, 6.5, 1500), rng.uniform(-1, 1, 500), [0.92, 1e-30]]
    )
    x = x.astype(dtype)
    with mpmath.workdps(30):
        exact = np.array([float(mpmath.erf(float(v))) for v in x])
    assert worst_error(compiled("erf", x), exact) <= LIMIT
    ends = np.array([np.inf, -np.inf, 0.0, -0.0, np.nan], dtype)
    np.testing.assert_array_equal(compiled("erf", ends), [1, -1, 0, 0, np.nan])


@pytest.mark.parametrize("dtype", DTYPES)
def test_pow(dtype):
    rng = np.random.default_rng(2)
    base = np.concatenate(
        [np.exp(rng.uniform(-20, 20, 2**16)), rng.uniform(0.9, 1.1, 2**16)]
    )
    exponent = np.concatenate(
        [rng.uniform(-20, 20, 2**16), rng.uniform(-3e3, 3e3, 2**16)]
    )
    base, exponent = base.astype(dtype), exponent.astype(dtype)
    with np.errstate(all="ignore"):
        exact = base.astype(WIDER[dtype]) ** exponent.astype(WIDER[dtype])
        assert worst_error(compiled("pow", base, exponent), exact) <= LIMIT


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_powers(dtype):
    values = np.array([0, 1, 2, 0.5, 3, np.inf, np.nan, 1e30], dtype)
    values = np.concatenate([values, -values])
    base, exponent = (part.ravel().copy() for part in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        exact = np.power(base, exponent)
    found = compiled("pow", base, exponent)
    np.testing.assert_allclose(found, exact, rtol=1e-6)
    number = ~np.isnan(exact)
    np.testing.assert_array_equal(np.signbit(found)[number], np.signbit(exact)[number])
