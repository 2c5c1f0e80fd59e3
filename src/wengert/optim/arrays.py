"""Updating the arrays of parameters: many small ones as one, a large one in pieces.

Note [Blocks]
    An update is a dozen NumPy calls, each a pass over memory. For a small parameter the
    calls themselves cost most, for a large one the passes. So the rule of an optimizer
    is written for a `Block`: arrays of one dimension and some ten thousand elements,
    which stay in the processor's cache between calls. Many small parameters share one:
    their gradients are gathered into it, their state lives in it as views (such as
    ``state[p]["exp_avg"]``), and so does what is subtracted from each of them. A large
    parameter is many blocks, which are views of its memory.

Note [What a layout relies on]
    How parameters are laid out in blocks is kept from step to step, and made again from
    ``optimizer.state`` as soon as it no longer holds: other parameters have gradients,
    a parameter's memory was replaced, state was replaced or loaded, options that decide
    which state there is were changed. `Layout.holds` looks at all of this in each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dispatch, dtypes, errors
from ..autograd import enable_grad
from ..inplace import check_not_inference
from ..tensor import Tensor, counter, plain, rebind
from .optimizer import Closure, Group, Optimizer

BLOCK = 32768
"""How many numbers a block has at the most, if they are of four bytes."""


class ArrayOptimizer(Optimizer):
    """An optimizer whose rule is written for blocks, see Note [Blocks].

    A subclass says which state a parameter has and how it begins (`numbers`, `arrays`,
    `start`), what is computed once in a step (`coefficients`), and the rule (`update`).
    """

    numbers: tuple[str, ...] = ()
    """The names of the state that is one number for a parameter, such as "step"."""

    def arrays(self, group: Group) -> tuple[str, ...]:
        """Return the names of the state that is like the parameter."""
        raise NotImplementedError

    def start(self, name: str, group: Group, tensor: Tensor) -> Any:
        """Return the value that a parameter's state has at first."""
        return 0.0

    def coefficients(self, group: Group, cohort: Cohort) -> Sequence[float]:
        """Return the numbers of the rule for this step."""
        raise NotImplementedError

    def update(self, group: Group, block: Block, *scalars: ndarray) -> None:
        """Change the state of a block and subtract from its parameters.

        Args:
            scalars: the coefficients as arrays without dimensions.
        """
        raise NotImplementedError

    def step(self, closure: Closure | None = None) -> Any:
        """Update the parameters that have gradients.

        Args:
            closure: computes the loss again and its gradients.

        Returns:
            What the closure returned, or None.
        """
        if dispatch.tracing is not None:
            from ..compiler.step import traced_step

            if traced_step(self, closure):
                return None
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        for index, group in enumerate(self.param_groups):
            params = [tensor for tensor in group["params"] if tensor.grad is not None]
            if not params:
                continue
            if group["differentiable"]:
                raise not_differentiable(self)
            layout = self._layouts.get(index)
            names = self.arrays(group)
            if layout is None or not layout.holds(params, names, self.state):
                self.begin(group, params, names)
                layout = Layout(params, self.numbers, names, self.state)
                self._layouts[index] = layout
            for cohort in layout.cohorts:
                scalars = cohort.scalars(self.coefficients(group, cohort))
                for block in cohort.blocks:
                    self.update(group, block, *scalars)
            mark_written(params)
        return loss

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # options may be newer than what was saved
            for name, default in self.defaults.items():
                group.setdefault(name, default)

    def _prepare(self) -> None:
        super()._prepare()
        self._layouts: dict[int, Layout] = {}

    def begin(
        self, group: Group, params: Sequence[Tensor], names: tuple[str, ...]
    ) -> None:
        """Give parameters the state that they have not yet, or refuse them."""
        for tensor in params:
            check_not_inference(tensor)
        every = (*self.numbers, *names)
        for tensor in params if every else ():
            entry = self.state[tensor]
            for name in every:
                if entry.get(name) is None:
                    value = self.start(name, group, tensor)
                    shape, dtype = tensor._data.shape, tensor._data.dtype
                    if name in self.numbers:
                        shape, dtype = (), number_dtype()
                    entry[name] = plain(np.full(shape, value, dtype))

    def gradient(
        self, group: Group, block: Block, decay: ndarray | None = None
    ) -> ndarray:
        """Return the gradient to descend along: with L2 penalty, ascending if asked.

        Args:
            decay: the factor of the parameter that is added, None for zero.
        """
        grad = block.gradient()
        sign = np.subtract if group["maximize"] else np.add
        if decay is not None and group["weight_decay"]:
            pull = np.multiply(block.parameter(), decay, out=block.pull)
            return sign(pull, grad, out=pull)
        if group["maximize"]:
            return np.negative(grad, out=block.pull)
        return grad


def average(
    mean: ndarray, new: ndarray, keep: ndarray, take: ndarray, work: ndarray
) -> None:
    """Take new values into a running mean: mean ← keep · mean + take · new."""
    np.multiply(new, take, out=work)
    mean *= keep
    mean += work


def not_differentiable(optimizer: Optimizer) -> errors.Unsupported:
    return errors.Unsupported(
        f"{type(optimizer).__name__} with differentiable=True is not supported: its "
        "updates are not recorded. Write the update with tensor operations to "
        "differentiate through it."
    )


def number_dtype() -> np.dtype[Any]:
    """Return the dtype of state that is one number."""
    wide = dtypes.get_default_dtype() is dtypes.float64
    return np.dtype(np.float64 if wide else np.float32)


def mark_written(params: Iterable[Tensor]) -> None:
    """Raise the versions of parameters, so that graphs that saved them are stale."""
    for tensor in params:
        versions = tensor._counter
        if versions is None:
            versions = counter(tensor)
        versions[0] += 1


# --- blocks ---------------------------------------------------------------------------


class Block:
    """Several parameters as one array, see Note [Blocks].

    Attributes:
        params: the parameters.
        state: one array for each name of `ArrayOptimizer.arrays`, in that order.
        delta: where the rule leaves what is to be subtracted.
        pull, work: scratch for the rule; `ArrayOptimizer.gradient` uses `pull`.
    """

    __slots__ = (
        "delta",
        "grads",
        "params",
        "pull",
        "state",
        "targets",
        "values",
        "work",
    )

    def __init__(self, params: list[Tensor], scratch: ndarray) -> None:
        self.params = params
        dtype = params[0]._data.dtype
        count = sum(tensor._data.size for tensor in params)
        self.state: tuple[ndarray, ...] = ()
        lines = scratch[:, : count * (2 if dtype.kind == "c" else 1)]
        self.delta, self.pull, self.work = lines[:3]
        self.grads, self.values = [line.view(dtype) for line in lines[3:]]
        windows = split_like(self.delta.view(dtype), params)
        self.targets = [
            (tensor._data, window)
            for tensor, window in zip(params, windows, strict=True)
        ]

    def gradient(self) -> ndarray:
        """Return the gradients, which are not to be written to."""
        arrays = [tensor._grad._data for tensor in self.params]  # type: ignore[union-attr]
        np.concatenate(arrays, axis=None, out=self.grads)
        return self.grads.view(self.delta.dtype)

    def parameter(self) -> ndarray:
        """Return the values of the parameters, which are not to be written to."""
        arrays = [tensor._data for tensor in self.params]
        np.concatenate(arrays, axis=None, out=self.values)
        return self.values.view(self.delta.dtype)

    def descend(self) -> None:
        """Subtract `delta` from the parameters."""
        for array, window in self.targets:
            np.subtract(array, window, out=array)

    def adopt(self, names: Sequence[str], state: dict[Tensor, Any]) -> None:
        """Move the state of the parameters into arrays of the block."""
        arrays = []
        for name in names:
            array = np.empty(self.delta.size, self.delta.dtype)
            windows = split_like(array.view(self.grads.dtype), self.params)
            for tensor, window in zip(self.params, windows, strict=True):
                held = state[tensor][name]
                window[...] = held._data
                held._data = window
            arrays.append(array)
        self.state = tuple(arrays)


class Piece(Block):
    """A piece of a large parameter as a block."""

    __slots__ = ("place",)

    def __init__(self, tensor: Tensor, place: slice, scratch: ndarray) -> None:
        self.params = [tensor]
        self.place = place
        real = scratch.dtype
        flat = tensor._data.reshape(-1).view(real)[place]
        self.delta, self.pull, self.work = scratch[:3, : flat.size]
        self.values = flat
        self.targets = [(flat, self.delta)]

    def gradient(self) -> ndarray:
        """Return the piece of the gradient, which is not to be written to."""
        grad = self.params[0]._grad._data  # type: ignore[union-attr]
        if grad.flags.c_contiguous:
            return grad.reshape(-1).view(self.delta.dtype)[self.place]
        start, stop = self.place.start, self.place.stop
        if grad.dtype.kind == "c":
            start, stop = start // 2, stop // 2
        return np.asarray(grad.flat[start:stop]).view(self.delta.dtype)

    def parameter(self) -> ndarray:
        """Return the piece of the parameter, which is not to be written to."""
        return self.values

    def adopt(self, names: Sequence[str], state: dict[Tensor, Any]) -> None:
        """Work on pieces of the state's own arrays."""
        (tensor,) = self.params
        arrays = []
        for name in names:
            held = state[tensor][name]
            if (
                not held._data.flags.c_contiguous
                or held._data.dtype != tensor._data.dtype
            ):
                data = np.array(held._data, tensor._data.dtype, order="C")
                rebind(held, data, held._special)
            arrays.append(held._data.reshape(-1).view(self.delta.dtype)[self.place])
        self.state = tuple(arrays)


def split_like(array: ndarray, params: Sequence[Tensor]) -> list[ndarray]:
    """Return views of a one-dimensional array with the shapes of parameters."""
    ends = np.cumsum([0, *[tensor._data.size for tensor in params]]).tolist()
    return [
        array[start:end].reshape(tensor._data.shape)
        for (start, end), tensor in zip(pairwise(ends), params, strict=True)
    ]


# --- layouts --------------------------------------------------------------------------


class Cohort:
    """Parameters of one dtype that have the same numbers in their state: the same step.

    ``cohort["step"]`` is that number; setting it sets it for all of them.
    """

    def __init__(
        self, params: list[Tensor], numbers: Sequence[str], state: dict[Tensor, Any]
    ) -> None:
        self.params = params
        self.blocks: list[Block] = []
        self.numbers: dict[str, ndarray] = {}
        self.cells: list[ndarray] = []
        for name in numbers:
            line = np.array(
                [float(state[tensor][name]) for tensor in params], number_dtype()
            )
            self.numbers[name] = line
            for i, tensor in enumerate(params):
                held = as_number(state[tensor], name)
                rebind(held, line[i : i + 1].reshape(()), held._special)

    def __getitem__(self, name: str) -> float:
        return float(self.numbers[name][0])

    def __setitem__(self, name: str, value: float) -> None:
        self.numbers[name].fill(value)

    def count(self) -> float:
        """Raise "step" by one and return it."""
        line = self.numbers["step"]
        line += 1
        return float(line[0])

    def agrees(self) -> bool:
        """Whether the numbers of all parameters are still the same."""
        lines = [line.tolist() for line in self.numbers.values()]
        return all([line.count(line[0]) == len(line) for line in lines])

    def scalars(self, values: Sequence[float]) -> list[ndarray]:
        """Return the numbers as arrays of the cohort's dtype without dimensions.

        NumPy takes them twice as fast as Python's numbers.
        """
        if len(self.cells) != len(values):
            dtype = self.blocks[0].delta.dtype
            self.cells = [np.empty((), dtype) for _ in values]
        for cell, value in zip(self.cells, values, strict=True):
            cell[()] = value
        return self.cells


def as_number(entry: dict[str, Any], name: str) -> Tensor:
    """Return the tensor of a number in saved state, which may be a Python number."""
    held = entry[name]
    if not isinstance(held, Tensor):
        held = entry[name] = plain(np.array(held, number_dtype()))
    return held


class Layout:
    """The blocks of some parameters, see Note [What a layout relies on]."""

    def __init__(
        self,
        params: list[Tensor],
        numbers: tuple[str, ...],
        names: tuple[str, ...],
        state: dict[Tensor, Any],
    ) -> None:
        self.names = names
        self.ids = list(map(id, params))
        self.cohorts = [
            Cohort(members, numbers, state) for members in alike(params, numbers, state)
        ]
        for cohort in self.cohorts:
            cohort.blocks = blocks_of(cohort.params)
            for block in cohort.blocks:
                block.adopt(names, state)
        every = (*numbers, *names)
        self.members = [
            (
                tensor,
                tensor._data,
                [(name, state[tensor][name]._data) for name in every],
            )
            for tensor in params
        ]

    def holds(
        self, params: list[Tensor], names: tuple[str, ...], state: dict[Tensor, Any]
    ) -> bool:
        """Whether these are the parameters, and memory and state are still the same."""
        if names != self.names or self.ids != list(map(id, params)):
            return False
        try:
            for tensor, data, held in self.members:
                if tensor._data is not data:
                    return False
                if held:
                    entry = state[tensor]
                    for name, array in held:
                        if entry[name]._data is not array:
                            return False
        except (KeyError, AttributeError):
            return False
        return all(cohort.agrees() for cohort in self.cohorts)


def alike(
    params: Iterable[Tensor], numbers: Sequence[str], state: dict[Tensor, Any]
) -> Iterable[list[Tensor]]:
    """Return the parameters in lists of those with one dtype and the same numbers."""
    found: dict[Any, list[Tensor]] = {}
    for tensor in params:
        if type(tensor._data) is not ndarray:
            raise errors.Unsupported(
                "optimizers update NumPy arrays; a parameter inside a transformation "
                "has none"
            )
        key = (tensor._data.dtype, *[float(state[tensor][name]) for name in numbers])
        found.setdefault(key, []).append(tensor)
    return found.values()


def blocks_of(params: list[Tensor]) -> list[Block]:
    """Divide parameters of one dtype into blocks."""
    dtype = params[0]._data.dtype
    real = np.empty(0, dtype).real.dtype
    length = BLOCK * 4 // real.itemsize
    width = dtype.itemsize // real.itemsize
    pieces: list[tuple[Tensor, slice]] = []
    gathered: list[list[Tensor]] = []
    room = 0
    longest = 1
    for tensor in params:
        size = tensor._data.size * width
        if size > length and tensor._data.flags.c_contiguous:
            pieces += [
                (tensor, slice(start, min(start + length, size)))
                for start in range(0, size, length)
            ]
            longest = max(longest, length)
            continue
        if size > room:
            gathered.append([])
            room = length
        gathered[-1].append(tensor)
        room -= size
        longest = max(longest, size, length - room)
    scratch = np.empty((5, longest), real)
    return [
        *[Block(members, scratch) for members in gathered],
        *[Piece(tensor, place, scratch) for tensor, place in pieces],
    ]
