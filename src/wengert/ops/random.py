"""Random tensors: the same numbers as PyTorch's for the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from ..generator import Generator, default_generator
from ..kernels.memory_order import in_order_of_memory, order_of
from ..primitives import sampling as S
from ..tensor import Tensor, plain
from .drawing import fresh, fresh_of, sampled, source
from .options import Dtype, memory_like, numpy_dtype, sizes
from .public import namespace, op

# --- the state ------------------------------------------------------------------------


@op(method=False, out=False)
def manual_seed(seed: Any) -> Generator:
    """Begin the stream of random numbers that belongs to a seed.

    >>> import wengert as torch
    >>> generator = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """
    return default_generator.manual_seed(int(seed))


@op(method=False, out=False)
def seed() -> int:
    """Begin a stream that nobody can foresee, and return its seed."""
    return default_generator.seed()


@op(method=False, out=False)
def initial_seed() -> int:
    """Return the seed of the present stream."""
    return default_generator.initial_seed()


@op(method=False, out=False)
def get_rng_state() -> Tensor:
    """Return the place in the stream, as a tensor of bytes."""
    return plain(default_generator.get_state())


@op(method=False, out=False)
def set_rng_state(new_state: Tensor) -> None:
    """Go to a place in the stream that `get_rng_state` has returned."""
    default_generator.set_state(np.asarray(new_state._data))


# --- of a size ------------------------------------------------------------------------


def drawing(
    name: str, draw: Callable[..., ndarray], text: str
) -> Callable[..., Tensor]:
    """Publish a function of a size, and its ``<name>_like``.

    Args:
        draw: of a generator, a shape, a dtype, and whether the memory is contiguous.
    """

    def create(
        *size: Any,
        generator: Generator | None = None,
        dtype: Dtype = None,
        **options: Any,
    ) -> Tensor:
        size = (options.pop("size"),) if "size" in options else size
        options.pop("names", None)
        kind = numpy_dtype(dtype, name)
        shape = sizes(name, size)
        check_floating(name, kind)
        random = source(generator)
        return fresh(lambda shape: draw(random, shape, kind, True), shape, **options)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = text
    op(method=False)(create)

    def like(
        input: Tensor,
        *,
        generator: Generator | None = None,
        dtype: Dtype = None,
        **options: Any,
    ) -> Tensor:
        kind = numpy_dtype(input.dtype if dtype is None else dtype, name)
        check_floating(name, kind)
        random = source(generator)
        return fresh_like(partial(draw, random, dtype=kind), input, options)

    publish_like(name, like)
    return create


def publish_like(name: str, like: Callable[..., Tensor]) -> None:
    """Publish ``<name>_like``."""
    like.__name__ = like.__qualname__ = f"{name}_like"
    like.__doc__ = f"Return what `{name}` does, like another tensor."
    op(method=False, out=False)(like)


def fresh_like(
    draw: Callable[..., Any], input: Tensor, options: dict[str, Any]
) -> Tensor:
    """Return a tensor of the shape of another, with memory in the same order."""
    memory = memory_like(input, options)
    drawn = partial(draw, contiguous=order_of(memory) is None)
    return fresh(in_order_of_memory(drawn, memory), tuple(input.shape), **options)


def check_floating(name: str, dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "fc":
        from ..dtypes import from_numpy

        kernel = {"rand": "check_uniform_bounds", "randn": "normal_kernel_cpu"}[name]
        kind = from_numpy(dtype).scalar_type
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")


rand = drawing(
    "rand",
    lambda random, shape, dtype, contiguous: random.uniform(shape, dtype),
    """Return numbers spread evenly over [0, 1).

    Args:
        size: the sizes of the dimensions, as integers or as one tuple.
        generator: draws them in place of the default one.
        dtype: a floating point dtype, the default one if None.
        requires_grad: record what is done with the tensor.

    >>> import wengert as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.rand(2)
    tensor([0.4963, 0.7682])
    """,
)
randn = drawing(
    "randn",
    lambda random, shape, dtype, contiguous: random.normal(
        shape, dtype, in_blocks=contiguous
    ),
    """Return numbers of the standard normal distribution; arguments as of `rand`.

    >>> import wengert as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.randn(2)
    tensor([ 1.5410, -0.2934])
    """,
)


@op(method=False)
def randint(*bounds: Any, generator: Generator | None = None, **options: Any) -> Tensor:
    """Return integers from low (default 0) to high, exclusive, each as likely.

    Args:
        bounds: ``(high, size)`` or ``(low, high, size)``, size being a tuple.
        generator: draws them in place of the default one.
        dtype: int64 if None.

    Raises:
        RuntimeError: low is not less than high.

    >>> import wengert as torch
    >>> torch.randint(3, 4, (2,))
    tensor([3, 3])
    """
    size = options.pop("size", None)
    dtype = options.pop("dtype", None)
    rest = list(bounds)
    if rest and size is None and not isinstance(rest[-1], int):
        size = rest.pop()
    low, high = limits("randint", rest, options)
    if size is None:
        raise wrong_arguments("randint")
    kind = np.dtype(np.int64) if dtype is None else numpy_dtype(dtype)
    shape = sizes("randint", (size,))
    random = source(generator)
    return fresh(
        lambda shape: random.integers(low, high, shape, kind), shape, **options
    )


def _randint_like(
    input: Tensor,
    *bounds: Any,
    generator: Generator | None = None,
    dtype: Dtype = None,
    **options: Any,
) -> Tensor:
    low, high = limits("randint_like", list(bounds), options)
    kind = numpy_dtype(input.dtype if dtype is None else dtype)
    random = source(generator)
    return fresh_like(
        lambda shape, contiguous: random.integers(low, high, shape, kind),
        input,
        options,
    )


publish_like("randint", _randint_like)


def limits(name: str, given: list[Any], options: dict[str, Any]) -> tuple[int, int]:
    """Return between what integers are drawn; the lower limit is 0 by default."""
    low, high = options.pop("low", None), options.pop("high", None)
    if high is None and given:
        high = given.pop()
    if low is None:
        low = given.pop() if given else 0
    if high is None or given:
        raise wrong_arguments(name)
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= "
            f"to={high}"
        )
    return int(low), int(high)


def wrong_arguments(name: str) -> TypeError:
    first = "input, " if name.endswith("like") else ""
    size = "" if first else ", size"
    return TypeError(
        f"{name}() received an invalid combination of arguments: it takes "
        f"({first}high{size}) or ({first}low, high{size})"
    )


@op(method=False)
def randperm(
    n: int, *, generator: Generator | None = None, dtype: Dtype = None, **options: Any
) -> Tensor:
    """Return the integers from 0 to n - 1 in random order.

    >>> import wengert as torch
    >>> torch.randperm(4).sort().values
    tensor([0, 1, 2, 3])
    """
    kind = np.dtype(np.int64) if dtype is None else numpy_dtype(dtype)
    random = source(generator)

    def draw(shape: tuple[int, ...]) -> ndarray:
        rows = [random.permutation(n, kind) for _ in range(math.prod(shape[:-1]))]
        return rows[0] if len(shape) == 1 else np.reshape(rows, shape)

    return fresh(draw, (n,), **options)


@op(method=False)
def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Dtype = None,
    **options: Any,
) -> Tensor:
    """Return normal numbers, of a size or with each its own mean and deviation.

    Args:
        mean, std: tensors with one of each for every number, or numbers.
        size: the shape, if both are numbers.
        generator: draws them in place of the default one.

    >>> import wengert as torch
    >>> torch.normal(torch.tensor([1.0, 2.0]), torch.zeros(2))
    tensor([1., 2.])
    """
    draw = source(generator).normal
    if size is not None:
        shape = sizes("normal", (size,))
        kind = numpy_dtype(dtype)
        return fresh(
            lambda shape: draw(shape, kind, float(mean), float(std)), shape, **options
        )
    given = [value for value in (mean, std) if isinstance(value, Tensor)]
    if not given:
        raise TypeError("normal() needs a size when mean and std are numbers")
    if options:
        name = next(iter(options))
        raise TypeError(f"normal() got an unexpected keyword argument '{name}'")
    kind = given[0].dtype.numpy

    def draw_each(*parameters: Any) -> Any:
        shape = np.broadcast_shapes(*[np.shape(array) for array in parameters])
        return draw(shape, kind, *parameters)

    if len(given) == 2:
        return sampled(S.normal, draw_each, mean, std)
    of_one = S.normal_of_means if given[0] is mean else S.normal_of_deviations
    return sampled(of_one, draw_each, mean, std)


@op()
def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None
) -> Tensor:
    """Return ones with the probabilities that the input has, and zeros."""
    random, kind = source(generator), input.dtype.numpy
    if p is not None:
        return fresh(lambda shape: random.bernoulli(p, shape, kind), tuple(input.shape))
    return sampled(S.bernoulli, random.bernoulli, input)


@op()
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Return indices drawn with the probabilities of each row of the input."""
    random = source(generator)
    if input.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if not input.is_floating_point():
        raise RuntimeError(
            "multinomial only supports floating-point dtypes for input, got: "
            f"{input.dtype.scalar_type}"
        )

    def draw(weights: ndarray) -> ndarray:
        if weights.ndim <= 2:
            return random.multinomial(weights, num_samples, replacement)
        rows = weights.reshape(-1, weights.shape[-1])
        drawn = random.multinomial(rows, num_samples, replacement)
        return drawn.reshape(*weights.shape[:-1], num_samples)

    return fresh_of(draw, input)


@op(method=False)
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Return Poisson numbers with the rates that the input has."""
    return sampled(S.poisson, source(generator).poisson, input)


@op(method=False)
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """Return binomial numbers of counts and probabilities."""
    return fresh_of(source(generator).binomial, count, prob)


namespace["Generator"] = Generator
namespace["default_generator"] = default_generator
