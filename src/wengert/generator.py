"""The random number generator: PyTorch's numbers on the CPU for PyTorch's seeds.

A tour. The source is `kernels.stream`: random words, and uniform numbers made of them.
Each method of `Generator` makes other numbers of these as PyTorch does: it returns the
same numbers, and leaves the stream at the same place. Most are a formula; what takes
more is in `kernels`, too: `box_muller` (normal numbers), `shuffle` (permutations) and
`rejection` (poisson, gamma, binomial).

Note [The same bits]
What is computed in double precision and rounded to single is the same bit by bit, and
so are single-precision normal numbers, by note [Single precision to the last bit].
Numbers of double precision may differ in the last bits after log, exp, cos, sin and
tan, where NumPy's vector functions are not those of the C library.

Methods take NumPy dtypes and return NumPy arrays; tensors are the business of `random`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from .dtypes import from_numpy
from .kernels import box_muller, rejection
from .kernels.box_muller import BLOCK
from .kernels.fused import fused
from .kernels.memory_order import in_order_of_memory
from .kernels.ranges import (
    check_interval,
    check_probabilities,
    integer_range,
    largest_count,
    require,
)
from .kernels.shuffle import shuffled
from .kernels.stream import Stream

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Shape = tuple[int, ...]
Draw = Callable[[int], ndarray]

CHUNK = 32768  # numbers that are made at a time, so that temporaries stay in the cache
FEW = BLOCK  # fewer normal numbers than this are not made in blocks
LONG_SPAN = 2**28  # integers of a range from here on take two words each
LONG_PERMUTATION = (2**32 - 1) // 20
# kinds of NumPy dtypes
BOOL, FLOATING, REAL, COMPLEX = "b", "f", "uif", "c"


class Generator(Stream):
    """A stream of pseudo-random numbers, the same as PyTorch's for the same seed.

    Args:
        device: kept as `device`; the numbers are always made on the CPU.

    >>> generator = Generator().manual_seed(0)
    >>> generator.uniform((3,))
    array([0.4962566 , 0.7682218 , 0.08847743], dtype=float32)
    >>> generator.permutation(5)
    array([0, 4, 2, 1, 3])
    """

    __slots__ = ("device",)

    def __init__(self, device: Any = "cpu") -> None:
        super().__init__()
        self.device = str(device)

    def clone_state(self) -> Generator:
        """Another generator, at the same place of the same stream."""
        clone = Generator(self.device)
        clone.set_state(self.get_state())
        return clone

    # --- Uniform numbers --------------------------------------------------------------

    def _uniform(self, dtype: np.dtype[Any]) -> Draw:
        """What makes uniform numbers as precise as this dtype's."""
        return self._doubles if dtype == np.float64 else self._singles

    def uniform(
        self,
        shape: Shape,
        dtype: DTypeLike = np.float32,
        low: float = 0.0,
        high: float = 1.0,
    ) -> ndarray:
        """Numbers spread evenly over [low, high): `torch.rand`, `Tensor.uniform_`."""
        dtype = _checked(dtype, FLOATING + COMPLEX, "check_uniform_bounds")
        if dtype.kind == "c":
            return _complex(self.uniform((*shape, 2), _part(dtype), low, high), dtype)
        draw = self._uniform(dtype)
        if (low, high) == (0, 1) and dtype != np.float16:
            return _filled(shape, dtype, draw)
        check_interval(low, high, dtype)
        kind = np.result_type(dtype, np.float32).type
        start, span = float(kind(low)), float(kind(high) - kind(low))
        end = np.array(high, dtype)

        def draw_between(count: int) -> ndarray:
            values = fused(draw(count), span, start).astype(dtype, copy=False)
            values[values == end] = low  # where rounding has reached it
            return values

        return _filled(shape, dtype, draw_between)

    def bernoulli(
        self,
        p: float | ndarray,
        shape: Shape | None = None,
        dtype: DTypeLike | None = None,
    ) -> ndarray:
        """Ones with probability `p`, and zeros.

        A number `p` is `Tensor.bernoulli_(p)`. An array `p`, which gives its shape (and
        its dtype, unless there is another), is `torch.bernoulli(p)`: its probabilities
        are compared with uniform numbers of their own precision.
        """
        if isinstance(p, ndarray):
            _checked(p.dtype, FLOATING, "bernoulli_tensor_cpu_p_")
            possible = ((p >= 0) & (p <= 1)).all()
            require(
                possible, "Expected p_in >= 0 && p_in <= 1 to be true, but got false."
            )
            uniform = self._uniform(p.dtype)(p.size).reshape(p.shape)
            return np.asarray(uniform < p, dtype or p.dtype)
        require(0 <= p <= 1, f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
        dtype = _checked(dtype or np.float32, REAL + BOOL, "bernoulli_scalar_cpu_")
        return _filled(shape or (), dtype, lambda count: self._doubles(count) < p)

    def dropout_mask(self, shape: Shape, dtype: DTypeLike, p: float) -> ndarray:
        """Ones for what a dropout of probability `p` keeps, zeros for the rest."""
        if not 0 <= p <= 1:
            raise ValueError(
                f"dropout probability has to be between 0 and 1, but got {p}"
            )
        if p in (0, 1):  # PyTorch takes nothing from the stream
            return np.full(shape, 1 - p, dtype)
        return self.bernoulli(1 - p, shape, dtype)

    # --- Formulas of uniform numbers u ------------------------------------------------

    def exponential(
        self, shape: Shape, dtype: DTypeLike = np.float32, lambd: float = 1.0
    ) -> ndarray:
        """Waiting times at rate `lambd`, −log(1 − u) / lambd: `Tensor.exponential_`."""
        dtype = _checked(dtype, FLOATING, "exponential_cpu")
        require(
            lambd > 0, f"exponential_ expects lambda > 0.0, but found lambda={lambd:g}"
        )
        scale, draw = -1 / lambd, self._doubles
        return _filled(shape, dtype, lambda count: scale * np.log1p(-draw(count)))

    def geometric(self, shape: Shape, dtype: DTypeLike, p: float) -> ndarray:
        """Trials up to the first success, ⌈log u / log(1 − p)⌉: `Tensor.geometric_`."""
        dtype = _checked(dtype, REAL, "geometric_cpu")
        require(0 < p < 1, f"geometric_ expects p to be in (0, 1), but got p={p:g}")
        log_failure, draw = math.log1p(-p), self._doubles
        # small integers overflow by their bits, like PyTorch's
        kind = np.float64 if dtype.kind == FLOATING else np.int64

        def draw_trials(count: int) -> ndarray:
            trials: ndarray = np.ceil(np.log(draw(count)) / log_failure)
            return trials.astype(kind)

        return _filled(shape, dtype, draw_trials)

    def cauchy(
        self,
        shape: Shape,
        dtype: DTypeLike = np.float32,
        median: float = 0.0,
        sigma: float = 1.0,
    ) -> ndarray:
        """Cauchy's distribution, median + sigma tan(π (u − ½)): `Tensor.cauchy_`."""
        dtype = _checked(dtype, FLOATING, "cauchy_cpu")
        require(sigma > 0, f"cauchy_ expects sigma > 0.0, but found sigma={sigma:g}")

        def draw(count: int) -> ndarray:
            return median + sigma * np.tan(np.pi * (self._doubles(count) - 0.5))

        return _filled(shape, dtype, draw)

    # --- Normal numbers ---------------------------------------------------------------

    def normal(
        self,
        shape: Shape,
        dtype: DTypeLike = np.float32,
        mean: float | ndarray = 0.0,
        std: float | ndarray = 1.0,
        in_blocks: bool = True,
    ) -> ndarray:
        """Normal numbers: `torch.randn`, `Tensor.normal_`; for arrays `torch.normal`.

        The two parts of a complex number share its variance, and have its mean each.

        Args:
            in_blocks: whether many numbers are made in the way that PyTorch has for
                contiguous memory.
        """
        dtype = _checked(dtype, FLOATING + COMPLEX, "normal_kernel_cpu")
        if isinstance(mean, ndarray) or isinstance(std, ndarray):
            require(np.all(std >= 0), "normal expects all elements of std >= 0.0")
            if isinstance(std, ndarray):
                return np.asarray(self.normal(shape, dtype) * std + mean, dtype)
            return np.asarray(self.normal(shape, dtype, 0.0, std) + mean, dtype)
        require(std >= 0, f"normal expects std >= 0.0, but found std {std:g}")
        if dtype.kind == "c":
            deviation = std * math.sqrt(0.5)
            part = _part(dtype)
            parts = self.normal((*shape, 2), part, mean, deviation, in_blocks)
            return _complex(parts, dtype)
        if in_blocks and math.prod(shape) >= FEW:
            return self._in_blocks(shape, dtype, mean, std)
        return _filled(shape, dtype, lambda n: _scaled(self._in_pairs(n), std, mean))

    def _in_blocks(
        self, shape: Shape, dtype: np.dtype[Any], mean: float, std: float
    ) -> ndarray:
        double = dtype == np.float64
        source = self._doubles if double else self._words
        transform = box_muller.from_uniform if double else box_muller.from_words
        if not double:
            mean, std = float(np.float32(mean)), float(np.float32(std))

        def draw(count: int) -> ndarray:
            rest = count % BLOCK
            numbers = source(count - rest)
            if rest:
                # PyTorch draws for the incomplete block, except in half precision;
                # in its place it then makes the last 16 numbers anew
                if dtype != np.float16:
                    source(rest)
                numbers = np.concatenate([numbers, source(BLOCK)])
            values = transform(numbers)
            if rest:
                values = np.concatenate([values[: count - BLOCK], values[-BLOCK:]])
            return _scaled(values, std, mean)

        values = np.empty(math.prod(shape), dtype)
        last = (values.size - BLOCK) // CHUNK * CHUNK  # a chunk of one block or more
        _fill(values[:last], draw)
        values[last:] = _cast(draw(values.size - last), dtype)
        return values.reshape(shape)

    def log_normal(
        self,
        shape: Shape,
        dtype: DTypeLike = np.float32,
        mean: float = 1.0,
        std: float = 2.0,
    ) -> ndarray:
        """exp(mean + std z) of normal numbers z: `Tensor.log_normal_`."""
        dtype = _checked(dtype, FLOATING, "log_normal_cpu")
        require(std > 0, f"log_normal_ expects std > 0.0, but found std={std:g}")

        def draw(count: int) -> ndarray:
            values: ndarray = np.exp(fused(self._in_pairs(count), std, mean))
            return values

        return _filled(shape, dtype, draw)

    def _in_pairs(self, count: int) -> ndarray:
        """Normal numbers of double precision, made two at a time: an odd one waits."""
        if count < FEW:
            return np.array([self._next_normal_number() for _ in range(count)])
        values = np.empty(count)
        first = 0
        if self._next_normal is not None:
            values[0] = self._next_normal_number()
            first = 1
        last = count - (count - first) % 2
        values[first:last] = box_muller.in_pairs(self._doubles(last - first))
        if last < count:
            values[last] = self._next_normal_number()
        return values

    # --- Integers, permutations, indices ----------------------------------------------

    def integers(
        self, low: int, high: int | None, shape: Shape, dtype: DTypeLike = np.int64
    ) -> ndarray:
        """Integers of [low, high): `torch.randint`, `Tensor.random_(low, high)`.

        Where `high` is None, up to the largest that `dtype` counts to.
        """
        dtype = _checked(dtype, REAL + BOOL, "random_from_to")
        if high is None:
            high = largest_count(dtype) + 1
        else:
            low, high = integer_range(low, high, dtype)
        return self._integers(low, high, shape, dtype, long=high - low >= LONG_SPAN)

    def random(self, shape: Shape, dtype: DTypeLike = np.float32) -> ndarray:
        """Integers from 0 to the largest that `dtype` counts to: `Tensor.random_()`."""
        dtype = _checked(dtype, REAL + BOOL, "random_kernel_cpu")
        high = largest_count(dtype) + 1
        return self._integers(0, high, shape, dtype, long=dtype.itemsize == 8)

    def _integers(
        self, low: int, high: int, shape: Shape, dtype: np.dtype[Any], *, long: bool
    ) -> ndarray:
        words = self._long_words if long else self._words
        span = high - low

        def draw(count: int) -> ndarray:
            values = words(count)
            integers = values.view(np.int64)
            if span < 2**64:
                quotients = values // np.uint64(span)  # several times as quick as %
                quotients *= np.uint64(span)
                values -= quotients
                integers += low
            return integers

        return _filled(shape, dtype, draw)

    def permutation(self, n: int, dtype: DTypeLike = np.int64) -> ndarray:
        """The integers from 0 to n - 1 in random order: `torch.randperm`.

        From n = 214,748,364 on, the order is as random, but not PyTorch's.
        """
        dtype = _checked(dtype, REAL, "randperm")
        require(n >= 0, f"Trying to create tensor with negative dimension {n}: [{n}]")
        if n < 2:
            return np.zeros(n, dtype)
        words = self._words if n < LONG_PERMUTATION else self._long_words
        offsets = words(n - 1)
        offsets %= np.arange(n, 1, -1, dtype=np.uint64)
        return shuffled(offsets).astype(dtype, copy=False)

    def multinomial(
        self, probs: ndarray, num_samples: int, replacement: bool = False
    ) -> ndarray:
        """Indices drawn with given probabilities: `torch.multinomial`.

        Args:
            probs: probabilities, up to a factor, along the last of one or two axes.
            num_samples: how many indices to draw for each row.
            replacement: whether an index can be drawn again.

        Returns:
            int64 indices: an array like `probs` with `num_samples` along the last axis.

        Raises:
            RuntimeError: these are no probabilities, or fewer than `num_samples`.
        """
        _checked(probs.dtype, FLOATING, "multinomial")
        check_probabilities(probs, num_samples, replacement)
        if replacement and num_samples > 1:
            return self._drawn_again(probs, num_samples)
        # of exponential waiting times, each is the first with a probability
        # proportional to its rate
        draw = partial(self.exponential, dtype=probs.dtype)
        waiting = in_order_of_memory(draw, probs)(probs.shape)
        order = np.argsort(-(probs / waiting), axis=-1, kind="stable")
        return np.ascontiguousarray(order[..., :num_samples])

    def _drawn_again(self, probs: ndarray, num_samples: int) -> ndarray:
        rows = probs.reshape(-1, probs.shape[-1])
        rows = rows.astype(np.result_type(rows, np.float32), copy=False)
        cumulated = np.add.accumulate(rows, axis=-1)
        cumulated /= cumulated[:, -1:]
        uniform = self._doubles(len(rows) * num_samples).reshape(-1, num_samples)
        indices = np.empty(uniform.shape, np.int64)
        for i, row in enumerate(cumulated.astype(np.float64, copy=False)):
            indices[i] = row.searchsorted(uniform[i])
        return indices.reshape(*probs.shape[:-1], num_samples)

    # --- What is drawn until it is accepted, one number at a time, so slowly ----------

    def poisson(self, rates: ndarray) -> ndarray:
        """Numbers of events in a unit of time at these mean rates: `torch.poisson`."""
        _checked(rates.dtype, FLOATING, "poisson_cpu")
        possible = (rates >= 0).all()
        require(possible, "invalid Poisson rate, expected rate to be non-negative")
        draw = self._next_double
        values = [rejection.poisson(rate, draw) for rate in rates.ravel().tolist()]
        return np.array(values, rates.dtype).reshape(rates.shape)

    def gamma(self, shapes: ndarray) -> ndarray:
        """Gamma variates of these shape parameters: `torch._standard_gamma`."""
        kind = _checked(shapes.dtype, FLOATING, "gamma_cpu").type
        values = [
            rejection.gamma(shape, self._next_double, self._next_normal_number, kind)
            for shape in shapes.ravel().tolist()
        ]
        smallest = np.finfo(kind).tiny
        positive: ndarray = np.maximum(np.array(values, kind), smallest)
        return positive.reshape(shapes.shape)

    def binomial(self, counts: ndarray, probs: ndarray) -> ndarray:
        """Numbers of successes in so many trials: `torch.binomial`.

        For float32 counts of a million and more, the numbers may not be PyTorch's.
        """
        _checked(counts.dtype, FLOATING, "binomial_cpu")
        counts, probs = np.broadcast_arrays(counts, probs)
        parameters = zip(counts.ravel().tolist(), probs.ravel().tolist(), strict=True)
        draw = self._next_double
        values = [rejection.binomial(count, p, draw) for count, p in parameters]
        return np.array(values, counts.dtype).reshape(counts.shape)


default_generator = Generator()
default_generator.seed()


def _checked(dtype: DTypeLike, kinds: str, kernel: str) -> np.dtype[Any]:
    """The dtype, if it is of these kinds."""
    dtype = np.dtype(dtype)
    if dtype.kind not in kinds:
        name = from_numpy(dtype).scalar_type
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{name}'")
    return dtype


def _filled(shape: Shape, dtype: np.dtype[Any], draw: Draw) -> ndarray:
    """An array of the numbers that `draw(count)` gives."""
    count = math.prod(shape)
    if count <= CHUNK:
        return _cast(draw(count), dtype).reshape(shape)
    values = np.empty(shape, dtype)
    _fill(values.reshape(-1), draw)
    return values


def _fill(values: ndarray, draw: Draw) -> None:
    for start in range(0, values.size, CHUNK):
        part = values[start : start + CHUNK]
        part[:] = _cast(draw(part.size), values.dtype)


def _cast(values: ndarray, dtype: np.dtype[Any]) -> ndarray:
    if dtype == np.float16:
        values = values.astype(np.float32, copy=False)  # rounded twice, as by PyTorch
    return values.astype(dtype, copy=False)


def _scaled(values: ndarray, std: float, mean: float) -> ndarray:
    return values if (std, mean) == (1, 0) else fused(values, std, mean)


def _part(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a complex number's parts."""
    return np.dtype(f"f{dtype.itemsize // 2}")


def _complex(parts: ndarray, dtype: np.dtype[Any]) -> ndarray:
    """Complex numbers from their parts along the last axis."""
    return parts.view(dtype)[..., 0]
