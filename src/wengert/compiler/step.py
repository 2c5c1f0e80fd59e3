"""Optimizers inside of a captured program: their update rules run on symbols.

`ArrayOptimizer.update` is NumPy code on blocks of parameters. Here a block is one
parameter whose arrays are `Symbol`s, so that every optimizer of the package is captured
by its own rule. The coefficients of the rule (learning rate, bias corrections) are
computed at each replay by the optimizer itself, and are scalars of the program.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..tensor import Tensor, counter, rebind
from . import capture, failures
from .guards import differs
from .symbol import Symbol, Untraceable


class Noted(dict[str, Any]):
    """A group of parameters that notes which options are read."""

    def __init__(self, group: dict[str, Any]) -> None:
        super().__init__(group)
        self.read: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        value = self.read[key] = super().__getitem__(key)
        return value


class SymbolBlock:
    """One parameter as optimizers' rules see their blocks."""

    def __init__(self, tracer: Any, tensor: Tensor, state: list[Tensor]) -> None:
        self.target = tensor._data
        graph, dtype = tracer.graph, self.target.node.dtype

        def own(array: Any) -> Symbol:
            return Symbol(graph, tracer.fitted(array, self.target.shape, dtype))

        self.params = [tensor]
        self.value = own(self.target)
        self.grad = own(tensor._grad._data)  # type: ignore[union-attr]
        self.held = [record._data for record in state]
        self.state = tuple([own(array) for array in self.held])
        zeros = graph.expand(graph.constant(0, dtype), self.target.shape)
        self.delta, self.pull, self.work = [Symbol(graph, zeros) for _ in range(3)]

    def gradient(self) -> Symbol:
        return self.grad.copy()

    def parameter(self) -> Symbol:
        return self.value.copy()

    def descend(self) -> None:
        self.value = self.value - self.delta

    def store(self) -> None:
        """Write the parameter and its state."""
        self.target.put(self.value.node)
        for array, symbol in zip(self.held, self.state, strict=True):
            array.put(symbol.node)


class CohortStep:
    """What a replay does for a step of parameters with the same numbers."""

    def __init__(self, optimizer: Any, index: int, layout: Any, cohort: Any) -> None:
        self.optimizer = optimizer
        self.index = index
        self.layout = layout
        self.cohort = cohort
        self.options: dict[str, Any] = {}
        self.scalars: dict[Any, list[Any]] = {}

    def conditions(self, name: Callable[[Any], str]) -> Iterator[str]:
        """Write the conditions that parameters, state or options are others now.

        See `guards.differs`; the learning rate and the like are scalars of the program.
        """
        optimizer, index = self.optimizer, self.index
        group, state = optimizer.param_groups[index], optimizer.state
        where, among = name(optimizer), name(group)
        yield f"{where}.param_groups[{index}] is not {among}"
        yield f"{where}._layouts.get({index}) is not {name(self.layout)}"
        yield f"{where}.state is not {name(state)}"
        for key, value in self.options.items():
            yield differs(f"{among}[{key!r}]", value, name)
        yield f"len({among}['params']) != {len(group['params'])}"
        for position, tensor in enumerate(group["params"]):
            yield f"{among}['params'][{position}] is not {name(tensor)}"
        for tensor in self.cohort.params:
            entry = state[tensor]
            yield f"{name(state)}.get({name(tensor)}) is not {name(entry)}"
            for key, value in entry.items():
                yield f"{name(entry)}[{key!r}] is not {name(value)}"
                if key in self.cohort.numbers:
                    yield f"{name(value)}._data is not {name(value._data)}"
        if len(self.cohort.params) > 1:
            yield f"not {name(self.cohort)}.agrees()"

    def save(self) -> dict[str, Any]:
        return {name: line.copy() for name, line in self.cohort.numbers.items()}

    def rewind(self, saved: dict[str, Any]) -> None:
        for name, line in saved.items():
            self.cohort.numbers[name][...] = line

    def coefficients(self) -> list[float]:
        """Return the numbers of the rule for this step, and count it."""
        group = self.optimizer.param_groups[self.index]
        return [float(x) for x in self.optimizer.coefficients(group, self.cohort)]


def traced_step(optimizer: Any, closure: Any) -> bool:
    """Add an optimizer's step to the running trace; False if this is not its thread."""
    tracer = capture.current
    if tracer is None or tracer.thread != threading.get_ident():
        return False
    if closure is not None:
        raise failures.untraceable(
            "an optimizer's step with a closure", "Call step() without one"
        )
    tracer.note_options(optimizer)
    for group in optimizer.param_groups:
        tracer.note_old(optimizer, group["params"])
    for index, group in enumerate(optimizer.param_groups):
        params = [tensor for tensor in group["params"] if tensor.grad is not None]
        if params:
            step_group(tracer, optimizer, index, params)
    return True


def step_group(tracer: Any, optimizer: Any, index: int, params: list[Tensor]) -> None:
    group = optimizer.param_groups[index]
    if group["differentiable"]:
        from ..optim.arrays import not_differentiable

        raise not_differentiable(optimizer)
    tracer.touch([*params, *[tensor._grad for tensor in params]])
    names = optimizer.arrays(group)
    layout = with_arrays(tracer, optimizer, index, params, names)
    for cohort in layout.cohorts:
        step = CohortStep(optimizer, index, layout, cohort)
        noted = Noted(group)
        before = step.save()
        values = step.coefficients()
        step.rewind(before)
        for tensor in cohort.params:
            scalars = scalars_of(tracer, step, tensor._data.node.dtype, values)
            state = [optimizer.state[tensor][name] for name in names]
            for held in state:
                tracer.adopt(held, born=False)
            try:
                block = SymbolBlock(tracer, tensor, state)
                optimizer.update(noted, block, *scalars)
            except (Untraceable, TypeError, ValueError, AttributeError) as reason:
                raise failures.untraceable(
                    f"{type(optimizer).__name__}.step() cannot be captured ({reason})",
                    "Call it outside of the compiled function",
                ) from reason
            block.store()
            counter(tensor)[0] += 1
        step.options = {
            key: value for key, value in noted.read.items() if key != "params"
        }
        tracer.steps.append(step)


def with_arrays(
    tracer: Any,
    optimizer: Any,
    index: int,
    params: list[Tensor],
    names: tuple[str, ...],
) -> Any:
    """Return the layout of parameters, made while they have their own arrays again."""
    from ..optim.arrays import Layout

    group = optimizer.param_groups[index]
    held = [(tensor, tensor._data, tensor._special) for tensor in params]
    for tensor in params:
        record = tracer.adopted[id(tensor)]
        rebind(tensor, record.data, record.special)
    tracer.paused = True
    try:
        for tensor in params:
            for value in optimizer.state.get(tensor, {}).values():
                if id(value) in tracer.adopted:
                    raise failures.untraceable(
                        "the state of an optimizer is used beside its step, or two "
                        "steps "
                        "are taken",
                        "Take one step in the compiled function",
                    )
        layout = optimizer._layouts.get(index)
        if layout is None or not layout.holds(params, names, optimizer.state):
            every = (*optimizer.numbers, *names)
            if group.get("dampening") and any(
                optimizer.state[tensor].get(name) is None
                for tensor in params
                for name in every
            ):
                raise failures.failure(
                    "the state of the optimizer begins with the first gradient",
                    "The first call runs eagerly",
                    failures.NotYet,
                )
            optimizer.begin(group, params, names)
            layout = Layout(params, optimizer.numbers, names, optimizer.state)
            optimizer._layouts[index] = layout
    finally:
        tracer.paused = False
        for tensor, data, special in held:
            rebind(tensor, data, special)
    return layout


class ScalarOf:
    """An input of the graph: one of the coefficients of a step."""

    def __init__(self, step: CohortStep, position: int) -> None:
        self.step = step
        self.position = position


def scalars_of(
    tracer: Any, step: CohortStep, dtype: np.dtype[Any], values: list[float]
) -> list[Symbol]:
    """Return the coefficients as scalars of the program, made once for each dtype."""
    found = step.scalars.get(dtype)
    if found is None:
        found = step.scalars[dtype] = []
        for position, value in enumerate(values):
            node = tracer.graph.scalar(dtype)
            tracer.sources.append(ScalarOf(step, position))
            tracer.values[node] = np.asarray(value, dtype)
            found.append(node)
    return [Symbol(tracer.graph, node, shared=True) for node in found]
