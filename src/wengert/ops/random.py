"""Random tensors: the same numbers as PyTorch's for the same seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .. import generator as generators, modes
from ..inplace import check_writable, write_constant
from ..primitive import camel
from ..primitives import sampling as S
from ..tensor import Tensor, counter, history, plain
from .options import Dtype, finish, numpy_dtype, sizes
from .public import check_operand, namespace, op

Generator = generators.Generator
default_generator = generators.default_generator


def source(generator: Generator | None) -> Generator:
    """Return the generator to draw from."""
    return default_generator if generator is None else generator


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


def fresh(
    draw: Callable[[tuple[int, ...]], Any], shape: tuple[int, ...], **options: Any
) -> Tensor:
    """Return a tensor from what draws an array of any shape; vmap may want several."""
    if modes.special and modes.local.levels:
        from ..layers import randomness

        if randomness.local.maps:
            return finished(randomness.fresh(draw, shape), **options)
    return finish(np.asarray(draw(shape)), **options)


def fresh_of(draw: Callable[..., Any], *parameters: Any, **options: Any) -> Tensor:
    """Return a tensor from what draws numbers for arrays of parameters."""
    if modes.special and modes.local.levels:
        from ..layers import randomness

        return finished(randomness.fresh_of(draw, *parameters), **options)
    arrays = [p.detach()._data if isinstance(p, Tensor) else p for p in parameters]
    return finish(np.asarray(draw(*arrays)), **options)


def sampled(
    primitive: Callable[..., Any], draw: Callable[..., Any], *parameters: Any
) -> Tensor:
    """Return numbers drawn for parameters, with a history if these require grad.

    Args:
        primitive: the one whose nodes the history has, see `primitives.sampling`.
        parameters: tensors, or numbers, of which nothing is known later.
    """
    values = fresh_of(draw, *parameters)
    given = [p for p in parameters if isinstance(p, Tensor)]
    if any([p.requires_grad for p in given]):
        return primitive(*given, values)
    return values


def finished(tensor: Tensor, requires_grad: bool = False, **options: Any) -> Tensor:
    """Return a tensor of a transformation, which cannot require grad."""
    return tensor.requires_grad_() if requires_grad else tensor


def drawing(
    name: str, draw: Callable[..., ndarray], text: str
) -> Callable[..., Tensor]:
    """Return a function of a size, from one that draws an array."""

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
        return fresh(lambda shape: draw(random, shape, kind), shape, **options)

    create.__name__ = create.__qualname__ = name
    create.__doc__ = text
    op(method=False)(create)
    return create


def check_floating(name: str, dtype: np.dtype[Any]) -> None:
    if dtype.kind not in "fc":
        from ..dtypes import from_numpy

        kernel = {"rand": "check_uniform_bounds", "randn": "normal_kernel_cpu"}[name]
        kind = from_numpy(dtype).scalar_type
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")


rand = drawing(
    "rand",
    lambda source, shape, dtype: source.uniform(shape, dtype),
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
    lambda source, shape, dtype: source.normal(shape, dtype),
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
    low = options.pop("low", None)
    high = options.pop("high", None)
    size = options.pop("size", None)
    dtype = options.pop("dtype", None)
    rest = list(bounds)
    if rest and size is None and not isinstance(rest[-1], int):
        size = rest.pop()
    if high is None and rest:
        high = rest.pop()
    if low is None:
        low = rest.pop() if rest else 0
    if high is None or size is None or rest:
        raise TypeError(
            "randint() received an invalid combination of arguments: it takes "
            "(high, size) or (low, high, size)"
        )
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= "
            f"to={high}"
        )
    kind = np.dtype(np.int64) if dtype is None else numpy_dtype(dtype)
    shape = sizes("randint", (size,))
    random = source(generator)
    return fresh(
        lambda shape: random.integers(int(low), int(high), shape, kind),
        shape,
        **options,
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


def like(make: Callable[..., Tensor]) -> None:
    """Publish ``<name>_like``."""

    def make_like(
        input: Tensor, *bounds: Any, dtype: Dtype = None, **options: Any
    ) -> Tensor:
        kind = input.dtype if dtype is None else dtype
        size = tuple(input.shape)
        if bounds or {"low", "high"} & options.keys():
            return make(*bounds, size=size, dtype=kind, **options)
        return make(size, dtype=kind, **options)

    make_like.__name__ = f"{make.__name__}_like"
    make_like.__doc__ = f"Return what `{make.__name__}` does, like another tensor."
    op(method=False, out=False)(make_like)


for _make in (rand, randn, randint):
    like(_make)


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


# --- in place -------------------------------------------------------------------------


def filling(name: str, draw: Callable[..., ndarray], text: str) -> None:
    """Make a method that fills a tensor with numbers drawn for its shape."""

    def fill(
        self: Tensor, *args: Any, generator: Generator | None = None, **kwargs: Any
    ) -> Tensor:
        check_writable(self)
        data, random = self._data, source(generator)
        if history(self) is not None or modes.special:
            kind = self.dtype.numpy
            drawn = fresh(
                lambda shape: draw(random, shape, kind, *args, **kwargs),
                tuple(self.shape),
            )
            return write_constant(self, drawn, node_name(name, args, kwargs))
        data[...] = draw(random, data.shape, data.dtype, *args, **kwargs)
        counter(self)[0] += 1
        return self

    fill.__name__ = fill.__qualname__ = name
    fill.__doc__ = text
    setattr(Tensor, name, fill)


def node_name(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """Return the name of the node of a method that fills, of several the overload's."""
    given = [*args, *kwargs.values()]
    overload = 0
    if name == "random_":
        overload = 2 - len(given)
    elif name == "bernoulli_":
        overload = 1 if given and isinstance(given[0], Tensor) else 2
    return f"{camel(name.rstrip('_'))}Backward{overload}"


def _uniform(
    source: Any, shape: Any, dtype: Any, from_: float = 0, to: float = 1, **named: Any
) -> ndarray:
    return source.uniform(shape, dtype, float(named.get("from", from_)), float(to))


def _normal(
    source: Any, shape: Any, dtype: Any, mean: float = 0, std: float = 1
) -> ndarray:
    return source.normal(shape, dtype, float(mean), float(std))


def _random(
    source: Any, shape: Any, dtype: Any, low: int | None = None, high: Any = None
) -> ndarray:
    if low is None:
        return source.random(shape, dtype)
    if high is None:
        low, high = 0, low
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= "
            f"to={high}"
        )
    return source.integers(low, high, shape, dtype)


def _bernoulli(source: Any, shape: Any, dtype: Any, p: Any = 0.5) -> ndarray:
    if isinstance(p, Tensor):
        given = np.broadcast_to(p.detach()._data, shape)
        return source.bernoulli(np.ascontiguousarray(given), dtype=dtype)
    return source.bernoulli(p, shape, dtype)


filling("uniform_", _uniform, "Fill with numbers spread evenly over [from, to).")
filling("normal_", _normal, "Fill with normal numbers of a mean and deviation.")
filling("random_", _random, "Fill with integers from low to high, exclusive.")
filling("bernoulli_", _bernoulli, "Fill with ones of probability p, and zeros.")
for _name, _text in {
    "exponential": "Fill with exponential numbers of a rate `lambd`.",
    "geometric": "Fill with the numbers of trials up to the first success.",
    "cauchy": "Fill with Cauchy numbers of a median and width.",
    "log_normal": "Fill with numbers whose logarithms are normal.",
}.items():
    filling(
        f"{_name}_",
        lambda source, shape, dtype, *args, _name=_name, **kwargs: getattr(
            source, _name
        )(shape, dtype, *args, **kwargs),
        _text,
    )

# --- dropout --------------------------------------------------------------------------


@op(name="dropout", method=False, inplace=False, out=False)
def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return the input with elements set to zero at random, the rest scaled up.

    Args:
        p: the probability of each element to become zero; the others are divided by
            1 - p.
        training: if False, nothing happens.
        inplace: write the result into the input.

    >>> import wengert as torch
    >>> torch.nn.functional.dropout(torch.ones(2), 1.0)
    tensor([0., 0.])
    """
    return dropped(input, p, training, inplace, tuple(input.shape))


def in_order_of_memory(
    draw: Callable[[tuple[int, ...]], ndarray], like: Tensor
) -> Callable[[tuple[int, ...]], ndarray]:
    """Return what draws numbers in the order in which a tensor lies in memory.

    That is PyTorch's order: a transposed tensor gets the same numbers as it would have
    got before.
    """
    data = like._data
    if type(data) is not ndarray or data.flags.c_contiguous:
        return draw
    order = np.argsort([-stride for stride in data.strides], kind="stable")

    def drawn(shape: tuple[int, ...]) -> ndarray:
        sizes = tuple([shape[dim] for dim in order])
        return draw(sizes).transpose(np.argsort(order))

    return drawn


def dropped(
    input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...]
) -> Tensor:
    """Multiply with a mask of this shape, which is broadcast."""
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    check_operand("dropout", "input", 0, input)
    if not training or p == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    if not (input.dtype.is_floating_point or input.dtype.is_complex):
        raise RuntimeError(
            "result type Float can't be cast to the desired output type "
            f"{input.dtype.scalar_type}"
        )
    kind = numpy_dtype(input.dtype)

    def draw(shape: tuple[int, ...]) -> ndarray:
        mask = default_generator.dropout_mask(shape, kind, p)
        mask /= 1 - p
        return mask

    whole = shape == tuple(input.shape)
    mask = fresh(in_order_of_memory(draw, input) if whole else draw, shape)
    return input.mul_(mask) if inplace else input * mask


def feature_dropout(name: str, dims: int) -> Callable[..., Tensor]:
    """Return ``dropout1d`` and its like, which drop whole channels."""

    def drop(
        input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
    ) -> Tensor:
        single = input.ndim == dims + 1
        batch = input.unsqueeze(0) if single else input
        shape = (*batch.shape[:2], *(1,) * (batch.ndim - 2))
        result = dropped(batch, p, training, inplace, shape)
        if inplace:
            return input
        return result.squeeze(0) if single else result

    drop.__name__ = name
    drop.__doc__ = "Return the input with whole channels set to zero at random."
    return drop


dropout1d = feature_dropout("dropout1d", 1)
dropout2d = feature_dropout("dropout2d", 2)
dropout3d = feature_dropout("dropout3d", 3)
namespace["feature_dropout"] = feature_dropout("feature_dropout", -1)

ALPHA = 1.7580993408473766


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Return the input with elements set to SELU's lowest value at random, rescaled."""
    return alpha_dropped(input, p, training, inplace, tuple(input.shape))


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Return the input with whole channels set to SELU's lowest value at random."""
    shape = (*input.shape[:2], *(1,) * (input.ndim - 2))
    return alpha_dropped(input, p, training, inplace, shape)


def alpha_dropped(
    input: Tensor, p: float, training: bool, inplace: bool, shape: tuple[int, ...]
) -> Tensor:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    kind = numpy_dtype(input.dtype)
    mask = fresh(lambda shape: default_generator.dropout_mask(shape, kind, p), shape)
    a = 1.0 / math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    scale = mask * a
    shift = (mask - 1) * (ALPHA * a) + ALPHA * a * p
    result = input * scale + shift
    return input.copy_(result) if inplace else result


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
) -> Tensor:
    """Return a sample of the Gumbel-softmax distribution; with `hard`, one-hot.

    The gradient of the one-hot sample is that of the soft one.
    """
    kind = numpy_dtype(logits.dtype)
    noise = fresh(
        lambda shape: -np.log(default_generator.exponential(shape, kind)),
        tuple(logits.shape),
    )
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.detach().argmax(dim, keepdim=True)
    one_hot = soft.detach() * 0
    one_hot.scatter_(dim, index, 1.0)
    return one_hot - soft.detach() + soft


namespace["Generator"] = Generator
namespace["default_generator"] = default_generator
