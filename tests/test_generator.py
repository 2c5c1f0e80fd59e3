"""The random number generator against PyTorch's: numbers, and the state they leave."""

import copy
import math
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, strategies as st

import wengert
from wengert.generator import CHUNK, Generator, default_generator
from wengert.kernels import box_muller, shuffle
from wengert.kernels.fused import fused

SEED = 2147483647
SIZES = [0, 1, 2, 7, 15, 16, 17, 23, 24, 31, 32, 100, 1000, CHUNK + 21]
FLOATS = ["float16", "float32", "float64"]
COMPLEX = ["complex64", "complex128"]
INTEGERS = ["uint8", "int8", "int16", "int32", "int64"]


def both(seed: int = SEED) -> tuple[Generator, torch.Generator]:
    return Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def torch_dtype(name: str) -> torch.dtype:
    return getattr(torch, name)


def state_of(theirs: torch.Generator) -> np.ndarray:
    return theirs.get_state().numpy()


def assert_same(mine, my_values, theirs, their_values, ulps=0):
    """The same numbers, shape and dtype, and the same place in the stream."""
    expected = their_values.numpy()
    assert type(my_values) is np.ndarray
    assert (my_values.dtype, my_values.shape) == (expected.dtype, expected.shape)
    if ulps:
        np.testing.assert_allclose(
            my_values, expected, rtol=ulps * np.finfo(expected.dtype).eps, atol=0
        )
    else:
        np.testing.assert_array_equal(my_values, expected)
    my_state, their_state = mine.get_state(), state_of(theirs)
    if ulps:  # a waiting normal number may differ like all others
        my_state[5024:5032] = their_state[5024:5032]
    np.testing.assert_array_equal(my_state, their_state)


# --- seed and state -------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2**32 + 5, 2**63, 2**64 - 1, -1, -(2**63)])
def test_seeds(seed):
    mine, theirs = both(seed)
    assert mine.initial_seed() == theirs.initial_seed()
    draws = mine.uniform((700,)), torch.rand(700, generator=theirs)
    assert_same(mine, draws[0], theirs, draws[1])


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_seed_out_of_range(seed):
    for generator in both():
        with pytest.raises(ValueError, match="Overflow when unpacking long long"):
            generator.manual_seed(seed)


@pytest.mark.parametrize("seed", [True, 1.0, "a", None])
def test_seed_that_is_no_integer(seed):
    for generator in both():
        with pytest.raises(RuntimeError, match="manual_seed expected a long, but got"):
            generator.manual_seed(seed)


def test_numpy_integers_are_seeds():
    assert Generator().manual_seed(np.int64(3)).initial_seed() == 3


def test_seed_without_manual_seed():
    mine, theirs = Generator(), torch.Generator()
    assert mine.initial_seed() == theirs.initial_seed()
    assert_same(mine, mine.uniform((3,)), theirs, torch.rand(3, generator=theirs))


def test_unforeseeable_seeds():
    generator = Generator()
    seeds = {generator.seed() for _ in range(20)}
    assert len(seeds) == 20
    assert generator.initial_seed() in seeds
    assert all(0 <= seed < 2**64 for seed in seeds)
    fresh = (
        "from wengert.generator import default_generator as g; print(g.initial_seed())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", fresh], check=True, capture_output=True
        ).stdout
        for _ in range(2)
    }
    assert len(runs) == 2


def test_importing_the_generator_does_not_import_numpy_random():
    code = (
        "import sys, numpy; sys.modules.pop('numpy.random', None);"
        "import wengert.generator; assert 'numpy.random' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# 624 words are made at a time; a normal number may wait; 0 is a stream not begun
@pytest.mark.parametrize("drawn", [0, 1, 623, 624, 625, 5000])
@pytest.mark.parametrize("normals", [0, 1, 2])
def test_states_are_exchanged_with_pytorch(drawn, normals):
    mine, theirs = both()
    mine.uniform((drawn,))
    torch.rand(drawn, generator=theirs)
    mine.normal((normals,))
    torch.randn(normals, generator=theirs)
    np.testing.assert_array_equal(mine.get_state(), state_of(theirs))

    from_theirs = Generator()
    from_theirs.set_state(state_of(theirs))
    from_mine = torch.Generator()
    from_mine.set_state(torch.from_numpy(mine.get_state()))
    for generator in (mine, from_theirs, mine.clone_state(), copy.deepcopy(mine)):
        assert generator.initial_seed() == SEED
        values = generator.normal((3,)), generator.uniform((700,))
        expected = torch.Generator()
        expected.set_state(from_mine.get_state())
        np.testing.assert_array_equal(
            values[0], torch.randn(3, generator=expected).numpy()
        )
        assert_same(generator, values[1], expected, torch.rand(700, generator=expected))


def test_reading_the_state_changes_nothing():
    mine, theirs = both()
    for _ in range(2):
        np.testing.assert_array_equal(mine.get_state(), state_of(theirs))
    clone = mine.clone_state()
    mine.uniform((5,))
    torch.rand(5, generator=theirs)
    assert not np.array_equal(clone.get_state(), mine.get_state())
    np.testing.assert_array_equal(mine.get_state(), state_of(theirs))


def test_pickling():
    mine, theirs = both()
    mine.normal((1,))
    torch.randn(1, generator=theirs)
    restored = pickle.loads(pickle.dumps(mine))
    values = restored.uniform((9,))
    assert_same(restored, values, theirs, torch.rand(9, generator=theirs))


def test_states_that_are_none():
    generator = Generator()
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        generator.set_state(np.zeros(5056))
    with pytest.raises(RuntimeError, match=r"size 5056 but found .* to be 10"):
        generator.set_state(np.zeros(10, np.uint8))
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        generator.set_state(np.zeros(5056, np.uint8))


def test_device_is_kept():
    assert Generator().device == "cpu"


# --- uniform numbers ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX)
@pytest.mark.parametrize("size", SIZES)
def test_rand(dtype, size):
    mine, theirs = both()
    values = mine.uniform((size,), dtype)
    expected = torch.rand(size, dtype=torch_dtype(dtype), generator=theirs)
    assert_same(mine, values, theirs, expected)


BOUNDS = [(-1, 1), (0.1, 0.7), (-3.3, 100), (0, 0.3), (5, 5.01), (2.5, 2.5), (-1, 0)]


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX)
@pytest.mark.parametrize("bounds", BOUNDS)
def test_uniform_between_bounds(dtype, bounds):
    mine, theirs = both()
    values = mine.uniform((50, 80), dtype, *bounds)
    expected = torch.empty(50, 80, dtype=torch_dtype(dtype))
    expected.uniform_(*bounds, generator=theirs)
    assert_same(mine, values, theirs, expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_never_reaches_the_upper_bound(dtype):
    high = 1 + 2 * float(np.finfo(dtype).eps)  # where half of all would round up to
    mine, theirs = both()
    values = mine.uniform((1000,), dtype, 1.0, high)
    expected = torch.empty(1000, dtype=torch_dtype(dtype))
    expected.uniform_(1.0, high, generator=theirs)
    assert values.max() < high
    assert_same(mine, values, theirs, expected)


@pytest.mark.parametrize(
    "bounds", [(2.0, 1.0), (0.0, math.inf), (math.nan, 1.0), (-3e38, 3e38)]
)
def test_bad_bounds(bounds):
    with pytest.raises(RuntimeError) as theirs:
        torch.empty(3).uniform_(*bounds)
    with pytest.raises(RuntimeError) as mine:
        Generator().uniform((3,), np.float32, *bounds)
    assert str(mine.value) == str(theirs.value)


@pytest.mark.parametrize("dtype", [*FLOATS, "int64", "uint8", "bool"])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_bernoulli_with_one_probability(dtype, p):
    mine, theirs = both()
    values = mine.bernoulli(p, (40, 50), dtype)
    expected = torch.empty(40, 50, dtype=torch_dtype(dtype))
    expected.bernoulli_(p, generator=theirs)
    assert_same(mine, values, theirs, expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_with_many_probabilities(dtype):
    probabilities = torch.rand(40, 50, dtype=torch_dtype(dtype))
    mine, theirs = both()
    values = mine.bernoulli(probabilities.numpy())
    expected = torch.bernoulli(probabilities, generator=theirs)
    assert_same(mine, values, theirs, expected)
    values = mine.bernoulli(probabilities.numpy(), dtype=np.int32)
    expected = torch.empty(40, 50, dtype=torch.int32)
    expected.bernoulli_(probabilities, generator=theirs)
    assert_same(mine, values, theirs, expected)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 1.0])
def test_dropout_mask(dtype, p):
    mine = Generator().manual_seed(SEED)
    torch.manual_seed(SEED)
    dropped = torch.nn.functional.dropout(
        torch.ones(30, 40, dtype=torch_dtype(dtype)), p
    )
    kept = (dropped != 0).to(dropped.dtype)
    values = mine.dropout_mask((30, 40), dtype, p)
    assert_same(mine, values, torch.default_generator, kept)


# --- formulas -------------------------------------------------------------------------

# Name of PyTorch's method and its parameters. In double precision, NumPy's functions
# and the C library's may differ in the last bits.
FORMULAS = [
    ("exponential", (1.0,)),
    ("exponential", (2.5,)),
    ("cauchy", (0.0, 1.0)),
    ("cauchy", (0.3, 2.0)),
    ("log_normal", (1.0, 2.0)),
    ("log_normal", (0.3, 0.25)),
]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("name", "parameters"), FORMULAS)
@pytest.mark.parametrize("size", [1, 15, 16, 17, 3001])
def test_formulas(name, parameters, dtype, size):
    mine, theirs = both()
    values = getattr(mine, name)((size,), dtype, *parameters)
    expected = torch.empty(size, dtype=torch_dtype(dtype))
    getattr(expected, name + "_")(*parameters, generator=theirs)
    assert_same(mine, values, theirs, expected, ulps=16 if dtype == "float64" else 0)


@pytest.mark.parametrize("dtype", FLOATS + INTEGERS)
@pytest.mark.parametrize("p", [0.01, 0.3, 0.9])
def test_geometric(dtype, p):
    mine, theirs = both()
    values = mine.geometric((30, 40), dtype, p)
    expected = torch.empty(30, 40, dtype=torch_dtype(dtype))
    expected.geometric_(p, generator=theirs)
    assert_same(mine, values, theirs, expected)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("exponential", (0.0,)),
        ("exponential", (math.nan,)),
        ("geometric", (0.0,)),
        ("geometric", (1.0,)),
        ("cauchy", (0.0, 0.0)),
        ("log_normal", (0.0, 0.0)),
        ("normal", (0.0, -1.0)),
    ],
)
def test_bad_parameters(method, arguments):
    with pytest.raises(RuntimeError) as theirs:
        getattr(torch.empty(3), method + "_")(*arguments)
    with pytest.raises(RuntimeError) as mine:
        getattr(Generator(), method)((3,), np.float32, *arguments)
    assert str(mine.value) == str(theirs.value)


def test_bad_probabilities():
    with pytest.raises(RuntimeError, match=r"p to be in \[0, 1\], but got p=2"):
        Generator().bernoulli(2, (3,))
    with pytest.raises(RuntimeError, match="p_in <= 1"):
        Generator().bernoulli(np.array([2.0]))
    with pytest.raises(ValueError, match=r"between 0 and 1, but got 1\.5"):
        Generator().dropout_mask((3,), np.float32, 1.5)


@pytest.mark.parametrize(
    "method", ["uniform", "normal", "exponential", "cauchy", "log_normal"]
)
def test_continuous_distributions_refuse_integers(method):
    with pytest.raises(NotImplementedError, match="not implemented for 'Int'"):
        getattr(Generator(), method)((3,), np.int32)


# --- normal numbers -------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX)
@pytest.mark.parametrize("size", SIZES)
def test_randn(dtype, size):
    mine, theirs = both()
    values = mine.normal((size,), dtype)
    expected = torch.randn(size, dtype=torch_dtype(dtype), generator=theirs)
    double = dtype in ("float64", "complex128")
    assert_same(mine, values, theirs, expected, ulps=2 if double else 0)


def test_few_double_normals_are_exact():
    mine, theirs = both()
    for size in range(16):
        values = mine.normal((size,), np.float64)
        expected = torch.randn(size, dtype=torch.float64, generator=theirs)
        assert_same(mine, values, theirs, expected)


def test_many_single_normals_are_exact():
    mine, theirs = both()
    values = mine.normal((400_000,))
    assert_same(mine, values, theirs, torch.randn(400_000, generator=theirs))


@pytest.mark.parametrize("fraction", [0, 1, 2**23, 2**24 - 1])
def test_extreme_uniform_numbers_make_finite_normal_ones(fraction):
    normals = box_muller.from_words(np.full(16, fraction, np.uint64))
    u = np.float64(fraction / 2**24)
    radius, angle = math.sqrt(-2 * math.log(1 - u)), 2 * math.pi * u
    expected = [radius * math.cos(angle)] * 8 + [radius * math.sin(angle)] * 8
    np.testing.assert_allclose(normals, expected, rtol=2e-7, atol=2e-6)


@pytest.mark.parametrize("dtype", [*FLOATS, "complex64"])
@pytest.mark.parametrize("parameters", [(0.3, 0.7), (-1e3, 2), (0, 0.02), (5, 0)])
@pytest.mark.parametrize("size", [5, 15, 16, 50, 3001])
def test_normal_with_mean_and_deviation(dtype, parameters, size):
    mine, theirs = both()
    values = mine.normal((size,), dtype, *parameters)
    expected = torch.empty(size, dtype=torch_dtype(dtype))
    expected.normal_(*parameters, generator=theirs)
    if dtype == "float64" and size > 15:  # the mean cancels leading bits
        np.testing.assert_allclose(values, expected.numpy(), rtol=0, atol=2e-15)
        np.testing.assert_array_equal(mine.get_state(), state_of(theirs))
    else:
        assert_same(mine, values, theirs, expected)


@pytest.mark.parametrize("parameters", [(math.inf, 1.0), (0.0, math.inf)])
@pytest.mark.parametrize("size", [3, 20])
def test_infinite_parameters(parameters, size):
    for dtype in FLOATS:
        mine, theirs = both()
        expected = torch.empty(size, dtype=torch_dtype(dtype))
        expected.normal_(*parameters, generator=theirs)
        assert_same(mine, mine.normal((size,), dtype, *parameters), theirs, expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_with_means_and_deviations(dtype):
    means = torch.randn(6, 50, dtype=torch_dtype(dtype))
    deviations = torch.rand(6, 50, dtype=torch_dtype(dtype))
    for mean, std in ((means, deviations), (means, 0.7), (0.7, deviations)):
        mine, theirs = both()
        arrays = [x.numpy() if torch.is_tensor(x) else x for x in (mean, std)]
        values = mine.normal((6, 50), dtype, *arrays)
        expected = torch.normal(mean, std, generator=theirs)
        if dtype == "float64":
            np.testing.assert_allclose(values, expected.numpy(), rtol=0, atol=2e-15)
        else:
            assert_same(mine, values, theirs, expected)


def test_deviations_below_zero():
    with pytest.raises(RuntimeError, match=r"all elements of std >= 0\.0"):
        Generator().normal((2,), np.float32, 0.0, np.array([1.0, -1.0]))


def test_waiting_normal_number_is_passed_on():
    mine, theirs = both()
    for size in (3, 20, 2, 1, 1):
        values = mine.normal((size,))
        assert_same(mine, values, theirs, torch.randn(size, generator=theirs))
    for size in (1, 20, 17, 2):
        values = mine.log_normal((size,))
        expected = torch.empty(size).log_normal_(generator=theirs)
        assert_same(mine, values, theirs, expected, ulps=1)


# --- integers and permutations --------------------------------------------------------

RANGES = [(0, 1), (0, 2), (-5, 5), (0, 100), (0, 257), (0, 2**24), (3, 2**25)]
LONG_RANGES = [
    (0, 2**28 - 1),
    (0, 2**28),
    (-1, 2**28 - 1),
    (0, 2**32),
    (-(2**40), 2**40),
    (-(2**63), 2**63 - 1),
    (7, 2**32 - 2**5),
]
ROUNDED_RANGES = [(-67108863, 10), (0, 2**32 - 1), (0, 2**24 + 3), (-(2**24) - 5, 7)]


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, "bool", "uint16", "uint32"])
@pytest.mark.parametrize("bounds", RANGES + LONG_RANGES + ROUNDED_RANGES)
@pytest.mark.filterwarnings("ignore:.*out of bounds:UserWarning")
def test_randint(dtype, bounds):
    mine, theirs = both()

    def draw_both():
        expected = torch.randint(
            *bounds, (13, 70), dtype=torch_dtype(dtype), generator=theirs
        )
        assert_same(mine, mine.integers(*bounds, (13, 70), dtype), theirs, expected)

    if fits(bounds, torch_dtype(dtype)):
        draw_both()
    else:
        with pytest.raises(RuntimeError) as raised:
            draw_both()
        with pytest.raises(RuntimeError, match=re.escape(str(raised.value))):
            mine.integers(*bounds, (13, 70), dtype)


def fits(bounds, dtype):
    if dtype == torch.bool:
        return bounds in [(0, 1), (0, 2)]
    limits = torch.finfo(dtype) if dtype.is_floating_point else torch.iinfo(dtype)
    return limits.min <= bounds[0] and bounds[1] - 1 <= limits.max


@pytest.mark.parametrize("bounds", [(5, 5), (6, 5), (2**25 - 1, 2**25)])
@pytest.mark.filterwarnings("ignore:.*out of bounds:UserWarning")
def test_empty_range(bounds):
    with pytest.raises(RuntimeError) as theirs:
        torch.randint(*bounds, (3,), dtype=torch.float32)
    with pytest.raises(RuntimeError) as mine:
        Generator().integers(*bounds, (3,), np.float32)
    assert str(mine.value) == str(theirs.value)


@pytest.mark.parametrize(
    ("dtype", "low"),
    [(dtype, low) for dtype in INTEGERS + FLOATS for low in (0, 7)]
    + [("int8", -3), ("int64", -3), ("int64", -(2**63)), ("float32", -3)],
)
def test_integers_without_upper_bound(dtype, low):
    mine, theirs = both()
    expected = torch.empty(13, 70, dtype=torch_dtype(dtype))
    expected.random_(low, None, generator=theirs)
    assert_same(mine, mine.integers(low, None, (13, 70), dtype), theirs, expected)


@pytest.mark.parametrize("dtype", [*INTEGERS, *FLOATS, "bool"])
def test_random_of_a_dtype(dtype):
    mine, theirs = both()
    expected = torch.empty(13, 70, dtype=torch_dtype(dtype)).random_(generator=theirs)
    assert_same(mine, mine.random((13, 70), dtype), theirs, expected)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 50, 199, 200, 201, 202, 1000, 70_000])
def test_randperm(n):
    mine, theirs = both()
    expected = torch.randperm(n, generator=theirs)
    assert_same(mine, mine.permutation(n), theirs, expected)


@pytest.mark.parametrize("dtype", [*FLOATS, "uint8", "int16", "int32"])
def test_dtype_of_permutation(dtype):
    mine, theirs = both()
    expected = torch.randperm(200, dtype=torch_dtype(dtype), generator=theirs)
    assert_same(mine, mine.permutation(200, dtype), theirs, expected)


def test_permutation_of_fewer_than_none():
    with pytest.raises(RuntimeError, match="negative dimension -1"):
        Generator().permutation(-1)


@given(st.data(), st.integers(1, 60))
def test_swaps_at_once_are_the_swaps_one_by_one(data, count):
    # offsets that are drawn far from evenly share partners far more often
    offsets = np.array([data.draw(st.integers(0, count - i)) for i in range(count)])
    at_once, one_by_one = shuffle._at_once(offsets), shuffle._one_by_one(offsets)
    np.testing.assert_array_equal(at_once, one_by_one)


# --- indices --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("shape", [(12,), (5, 12), (1, 12), (12, 1)])
@pytest.mark.parametrize(
    ("count", "replacement"),
    [(1, False), (1, True), (4, False), (12, False), (4, True), (500, True)],
)
def test_multinomial(dtype, shape, count, replacement):
    if not replacement:
        count = min(count, shape[-1])
    probabilities = torch.rand(shape, dtype=torch_dtype(dtype))
    mine, theirs = both()
    values = mine.multinomial(probabilities.numpy(), count, replacement)
    expected = torch.multinomial(probabilities, count, replacement, generator=theirs)
    assert_same(mine, values, theirs, expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_multinomial_among_many(dtype):
    probabilities = torch.rand(2, 5000, dtype=torch_dtype(dtype))
    mine, theirs = both()
    values = mine.multinomial(probabilities.numpy(), 20_000, True)
    expected = torch.multinomial(probabilities, 20_000, True, generator=theirs)
    assert_same(mine, values, theirs, expected)


@pytest.mark.parametrize(
    ("probabilities", "count"),
    [
        ([0.5, 0.5], 3),
        ([0.0, 0.0], 1),
        ([1.0, -1.0], 1),
        ([1.0, math.inf], 1),
        ([[[1.0]]], 1),
        ([1.0], 0),
    ],
)
def test_multinomial_of_what_is_no_distribution(probabilities, count):
    with pytest.raises(RuntimeError) as theirs:
        torch.multinomial(torch.tensor(probabilities), count)
    with pytest.raises(RuntimeError) as mine:
        Generator().multinomial(np.array(probabilities, np.float32), count)
    assert str(mine.value) == str(theirs.value)


# --- rejection ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
def test_poisson(dtype):
    rates = torch.tensor([0, 0.5, 3, 9.99, 10, 50, 1e4], dtype=torch_dtype(dtype))
    rates = rates.repeat(40, 1)
    mine, theirs = both()
    values = mine.poisson(rates.numpy())
    assert_same(mine, values, theirs, torch.poisson(rates, generator=theirs))
    with pytest.raises(RuntimeError, match="expected rate to be non-negative"):
        mine.poisson(np.array([-1.0]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gamma(dtype):
    shapes = torch.tensor([0.0, 0.01, 0.3, 1, 2.5, 100], dtype=torch_dtype(dtype))
    shapes = shapes.repeat(60, 1)
    mine, theirs = both()
    values = mine.gamma(shapes.numpy())
    assert_same(mine, values, theirs, torch._standard_gamma(shapes, generator=theirs))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_binomial(dtype):
    counts = torch.tensor([0, 5, 20, 1000], dtype=torch_dtype(dtype))
    probabilities = torch.tensor(
        [0, 0.001, 0.3, 0.5, 0.95, 1], dtype=torch_dtype(dtype)
    )
    counts, probabilities = torch.broadcast_tensors(counts[:, None], probabilities)
    mine, theirs = both()
    for _ in range(20):
        values = mine.binomial(counts.numpy(), probabilities.numpy())
        expected = torch.binomial(counts, probabilities, generator=theirs)
        assert_same(mine, values, theirs, expected)


# --- arithmetic -----------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_fused_multiply_add_rounds_once(dtype):
    from fractions import Fraction

    kind = np.dtype(dtype).type
    values = np.random.default_rng(0).normal(size=2000).astype(dtype)
    for scale, shift in ((0.7, 0.3), (1e-3, -5.0), (3.3, 1e-8), (2.0, 0.1), (0.0, 0.1)):
        scale, shift = float(kind(scale)), float(kind(shift))
        exact = [
            Fraction(x) * Fraction(scale) + Fraction(shift) for x in values.tolist()
        ]
        result = fused(values, scale, shift)
        assert result.dtype == dtype
        for value, truth in zip(result, exact, strict=True):
            error = abs(Fraction(float(value)) - truth)
            assert error <= Fraction(float(np.spacing(abs(value)))) / 2


@pytest.mark.parametrize("method", ["uniform", "normal", "exponential", "log_normal"])
def test_arrays_without_dimensions(method):
    values = getattr(Generator(), method)((), np.float64)
    assert type(values) is np.ndarray
    assert values.shape == ()


def test_default_generator_is_one():
    assert isinstance(default_generator, Generator)


FILLS = {
    "uniform_": (),
    "random_": (7,),
    "bernoulli_": (0.3,),
    "exponential_": (),
    "geometric_": (0.5,),
    "cauchy_": (),
    "log_normal_": (),
}


@pytest.mark.parametrize("name", FILLS)
@pytest.mark.parametrize("recorded", [False, True])
def test_tensors_are_filled_in_the_order_of_memory(name, recorded):
    found = []
    for library in (wengert, torch):
        library.manual_seed(SEED)
        memory = library.zeros(5, 3, 7, dtype=library.float64, requires_grad=recorded)
        tensor = (memory * 1).permute(2, 0, 1)[1:5]
        getattr(tensor, name)(*FILLS[name])
        found.append((tensor.detach().numpy(), library.rand(1).item()))
    np.testing.assert_allclose(found[0][0], found[1][0], 1e-13)
    assert found[0][1] == found[1][1]


def test_probabilities_are_those_of_the_places_that_are_filled():
    tensor = wengert.zeros(4, 3).t()
    tensor.bernoulli_(wengert.tensor([0.0, 1.0, 0.0, 1.0]))
    assert tensor.tolist() == [[0, 1, 0, 1]] * 3
