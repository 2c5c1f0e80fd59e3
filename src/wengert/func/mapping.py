"""`vmap`: the function runs once, on tensors whose arrays hide a dimension."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from .. import tree
from ..layers import randomness as random_numbers
from ..layers.batched import Batched
from ..layers.level import Level, belongs, on_level
from ..tensor import Tensor
from .arguments import Function


def vmap(
    func: Function,
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Function:
    """Return the function that maps `func` over a dimension of its arguments at once.

    Args:
        in_dims: the dimension of each argument to map over, None for none: an integer,
            or a tree like the arguments.
        out_dims: where the dimension is put in the results.
        randomness: whether random ops are an "error", "different" or the "same" for the
            elements.
        chunk_size: how many elements at a time, to bound memory.

    Raises:
        ValueError: dimensions do not fit the arguments or the results.
        RuntimeError: the function does what depends on the values of one element.

    >>> import wengert as torch
    >>> torch.func.vmap(torch.dot)(torch.ones(3, 2), torch.ones(3, 2))
    tensor([2., 2., 2.])
    """
    if randomness not in random_numbers.MODES:
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. "
            f"Got {randomness}"
        )
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(
            f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})"
        )
    mapping = Mapping(func, in_dims, out_dims, randomness)

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = tree.flatten(args)
        dims = mapping.input_dims(args, structure)
        size = mapping.batch_size(leaves, dims)
        if chunk_size is None or chunk_size >= size:
            outputs, _, found = mapping.call(leaves, structure, dims, size, kwargs)
        else:
            outputs, found = mapping.in_chunks(
                leaves, structure, dims, size, kwargs, chunk_size
            )
        return tree.unflatten(outputs, found)

    return mapped


class Mapping:
    """A function with the dimensions to map it over."""

    def __init__(
        self, func: Function, in_dims: Any, out_dims: Any, randomness: str
    ) -> None:
        self.func = func
        self.name = getattr(func, "__name__", repr(func))
        self.in_dims = in_dims
        self.out_dims = out_dims
        self.randomness = randomness

    def call(
        self,
        leaves: Sequence[Any],
        structure: tree.Structure,
        dims: Sequence[int | None],
        size: int,
        kwargs: dict[str, Any],
    ) -> tuple[list[Any], list[Any], tree.Structure]:
        """Return the results' leaves, the dimension of each, and their structure."""
        maps = random_numbers.local.maps
        with Level() as level:
            mapped = random_numbers.Mapped(level, size, self.randomness)
            random_numbers.local.maps = (*maps, mapped)
            try:
                inputs = [
                    batch(x, dim, level) for x, dim in zip(leaves, dims, strict=True)
                ]
                result = self.func(*tree.unflatten(inputs, structure), **kwargs)
            finally:
                random_numbers.local.maps = maps
            outputs, found = tree.flatten(result)
            places = self.output_dims(result, found)
            unbatched = [
                self.unbatch(out, place, level, size)
                for out, place in zip(outputs, places, strict=True)
            ]
        return unbatched, places, found

    def in_chunks(
        self,
        leaves: Sequence[Any],
        structure: tree.Structure,
        dims: Sequence[int | None],
        size: int,
        kwargs: dict[str, Any],
        chunk_size: int,
    ) -> tuple[list[Any], tree.Structure]:
        """Return the leaves of the results, made a chunk of the batch at a time."""
        from ..ops.public import namespace

        split = [
            leaf if dim is None else leaf.split(chunk_size, dim)
            for leaf, dim in zip(leaves, dims, strict=True)
        ]
        state = namespace["get_rng_state"]()
        columns = []
        for start in range(0, size, chunk_size):
            if self.randomness == "same":
                namespace["set_rng_state"](state)
            chunk = [
                parts if dim is None else parts[start // chunk_size]
                for parts, dim in zip(split, dims, strict=True)
            ]
            length = min(chunk_size, size - start)
            outputs, places, found = self.call(chunk, structure, dims, length, kwargs)
            columns.append(outputs)
        joined = [
            parts[0] if place is None else namespace["cat"](list(parts), place)
            for parts, place in zip(zip(*columns, strict=True), places, strict=True)
        ]
        return joined, found

    def input_dims(self, args: Any, structure: tree.Structure) -> list[int | None]:
        """Return the dimension of each leaf of the arguments."""
        if not isinstance(self.in_dims, int | tuple):
            raise self.refusal(
                f"expected `in_dims` to be int or a (potentially nested) tuple "
                f"matching the structure of inputs, got: {type(self.in_dims)}."
            )
        if not args:
            raise ValueError(
                f"vmap({self.name})(<inputs>): got no inputs. Maybe you forgot to add "
                "inputs, or you are trying to vmap over a function with no inputs. The "
                "latter is unsupported."
            )
        dims = tree.spread(self.in_dims, structure)
        if dims is None:
            raise self.refusal(
                f"in_dims is not compatible with the structure of `inputs`. "
                f"in_dims has structure {tree.flatten(self.in_dims)[1]} but inputs has "
                f"structure {structure}."
            )
        return dims

    def refusal(self, message: str) -> ValueError:
        """Return the error about arguments that do not fit."""
        call = f"vmap({self.name}, in_dims={self.in_dims}, ...)(<inputs>)"
        return ValueError(f"{call}: {message}")

    def batch_size(self, leaves: Sequence[Any], dims: Sequence[Any]) -> int:
        """Return the size of the dimensions to map over, or say how they differ."""
        sizes = []
        for leaf, dim in zip(leaves, dims, strict=True):
            if dim is None:
                continue
            if not isinstance(dim, int):
                raise self.refusal(
                    f"Got in_dim={dim} for an input but in_dim must be either "
                    "an integer dimension or None."
                )
            if not isinstance(leaf, Tensor):
                raise self.refusal(
                    f"Got in_dim={dim} for an input but the input is of type "
                    f"{type(leaf)}. We cannot vmap over non-Tensor arguments, please "
                    "use None as the respective in_dim"
                )
            if not -leaf.ndim <= dim < leaf.ndim:
                raise self.refusal(
                    f"Got in_dim={dim} for some input, but that input is a "
                    f"Tensor of dimensionality {leaf.ndim} so expected in_dim to "
                    f"satisfy -{leaf.ndim} <= in_dim < {leaf.ndim}."
                )
            sizes.append(int(leaf.shape[dim]))
        if not sizes:
            raise ValueError("vmap: Expected at least one Tensor to vmap over")
        if len(set(sizes)) > 1:
            raise ValueError(
                "vmap: Expected all tensors to have the same size in the mapped "
                f"dimension, got sizes {sizes} for the mapped dimension"
            )
        return sizes[0]

    def output_dims(self, result: Any, structure: tree.Structure) -> list[Any]:
        """Return for each leaf of the results where the dimension goes."""
        for place in tree.leaves(self.out_dims):
            if not isinstance(place, int | None):
                raise ValueError(
                    f"vmap({self.name}, ..., out_dims={self.out_dims}): `out_dims` "
                    "must be an int, None or a python collection of ints representing "
                    "where in the outputs the vmapped dimension should appear."
                )
        places = tree.spread(self.out_dims, structure)
        single = isinstance(self.out_dims, tuple) and len(self.out_dims) == 1
        if places is None and single and isinstance(result, Tensor):
            return list(self.out_dims)
        if places is None:
            raise ValueError(
                f"vmap({self.name}, ..., out_dims={self.out_dims})(<inputs>): out_dims "
                "is not compatible with the structure of `outputs`. out_dims has "
                f"structure {tree.flatten(self.out_dims)[1]} but outputs has structure "
                f"{structure}."
            )
        return places

    def unbatch(self, out: Any, dim: int | None, level: int, size: int) -> Any:
        """Return a result with the dimension that was mapped over."""
        if dim is None:
            if isinstance(out, Tensor) and belongs(out, level):
                raise ValueError(
                    f"vmap({self.name}, ...): `{self.name}` can not return a "
                    "BatchedTensor when out_dim is None"
                )
            return out
        if not isinstance(out, Tensor):
            raise ValueError(
                f"vmap({self.name}, ...): `{self.name}` must only return Tensors, got "
                f"type {type(out)}. Did you mean to set out_dims= to None for output?"
            )
        if belongs(out, level):
            value = out._data.value
        else:
            value = out.unsqueeze(0).expand(size, *out.shape)
        return value if dim == 0 else value.movedim(0, dim)


def batch(value: Any, dim: int | None, level: int) -> Any:
    """Return a tensor that hides the dimension to map over."""
    if dim is None:
        return value
    return on_level(level, Batched(value.movedim(dim, 0) if dim else value, level))
