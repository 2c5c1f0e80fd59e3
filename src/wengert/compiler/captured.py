"""A captured function: the program, where its inputs are, what becomes of its results.

`captured` runs the function under a `Tracer` and takes from the trace what a replay has
to do: read the inputs, run the program, and put results where eager mode would have: in
the arrays that were written to (the program does that), in ``.grad``, and in what the
function returns.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from .. import modes, tree
from ..tensor import Tensor, counter, history, plain
from ..views import View, replay
from . import failures
from .capture import Adopted, GradOf, Tracer
from .differentiated import Derivative, derivative_of
from .graph import Graph, Node
from .guards import Reached
from .program import Program, compile_graph
from .prudence import Prudence, restore
from .step import ScalarOf


class Miss(Exception):
    """The program does not serve this call."""


class Slot:
    """What stands in the function's result for a tensor that a replay makes."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place


class ViewOf:
    """What stands in the result for a view of another tensor that is returned."""

    __slots__ = ("index", "place", "steps")

    def __init__(self, place: int, steps: Any, index: int | None) -> None:
        self.place = place
        self.steps = steps
        self.index = index


class Given:
    """What stands in the result for an argument, or a tensor from outside."""

    __slots__ = ("index", "position", "steps", "tensor")

    def __init__(
        self, tensor: Tensor | None, position: int | None, steps: Any, index: int | None
    ) -> None:
        self.tensor = tensor
        self.position = position
        self.steps = steps
        self.index = index


class Captured:
    """The program of a function for certain arguments."""

    def __init__(self, tracer: Tracer, function: Callable[..., Any]) -> None:
        self.reached = Reached(function)
        self.steps = tracer.steps
        self.sources: list[Any] = []
        self.conditions: list[Any] = []
        self.written: list[tuple[Any, int]] = []
        self.grads: list[tuple[Any, Any]] = []
        self.results: list[Any] = []
        self.structure: Any = None
        self.arguments: list[int] = []
        """Which inputs of the program are arguments, and which come from outside."""
        self.others: list[int] = []
        self.writes = False
        self.program: Program
        self.prudence: Prudence
        self.derivative: Derivative | None = None
        self.generators = [found[0] for found in tracer.generators.values()]
        self.opaque = dict(tracer.opaque_ops)

    def replay(self, leaves: list[Any]) -> Any:
        """Do what the function did when it was captured."""
        self.check(leaves)
        saved = [step.save() for step in self.steps]
        streams = [generator.get_state() for generator in self.generators]
        try:
            numbers = {step: step.coefficients() for step in self.steps}
            arrays = [read(source, leaves, numbers) for source in self.sources]
            if self.writes and self.overlaps(arrays, leaves):
                raise Miss
            if self.prudence.foresees(arrays):
                raise IndexError("an index is out of range")
            before = self.prudence.save(arrays)
            try:
                outputs = self.program.run(arrays)
            except BaseException:
                restore(before)
                raise
        except BaseException:
            for generator, state in zip(self.generators, streams, strict=True):
                generator.set_state(state)
            for step, lines in zip(self.steps, saved, strict=True):
                step.rewind(lines)
            raise
        made = [plain(array) for array in outputs]
        for place, count in self.written:
            counter(found(place, leaves))[0] += count
        for place, slot in self.grads:
            found(place, leaves)._grad = None if slot is None else made[slot]
        if self.derivative is not None:
            self.derivative.attach(made, arrays, leaves)
        return tree.unflatten(
            [shown(result, made, leaves) for result in self.results], self.structure
        )

    def check(self, leaves: list[Any]) -> None:
        """Raise `Miss` unless what was captured still holds."""
        if not self.reached.holds() or not all([step.holds() for step in self.steps]):
            raise Miss
        for place, shape, dtype, requires_grad, no_grad in self.conditions:
            tensor = found(place, leaves)
            data = tensor._data
            if (
                type(data) is not ndarray
                or data.shape != shape
                or data.dtype != dtype
                or (tensor._node is not None) != requires_grad
                or (
                    no_grad is not None
                    and (getattr(tensor, "_grad", None) is None) != no_grad
                )
            ):
                raise Miss

    def overlaps(self, arrays: list[Any], leaves: list[Any]) -> bool:
        """Whether an argument shares memory with a tensor from outside."""
        for place in self.arguments:
            array = arrays[place]
            for other in self.others:
                held = arrays[other]
                if (array.base is not None or held.base is not None) and (
                    np.may_share_memory(array, held)
                ):
                    return True
        return False

    def explain(self) -> str:
        text = self.program.explain()
        if self.opaque:
            rows = [f"  {name}: {why}" for name, why in self.opaque.items()]
            text += "\neager primitives (no kernel):\n" + "\n".join(rows)
        return text


def found(place: Any, leaves: list[Any]) -> Tensor:
    """Return a tensor by its place among the arguments, or itself."""
    if type(place) is GradPlace:
        return found(place.place, leaves)._grad  # type: ignore[return-value]
    return leaves[place] if type(place) is int else place


def read(source: Any, leaves: list[Any], numbers: dict[Any, list[float]]) -> Any:
    """Return what an input of the program is at this replay."""
    kind = type(source)
    if kind is int:
        return leaves[source]._data
    if kind is ScalarOf:
        return numbers[source.step][source.position]
    if kind is tuple:
        return found(source[0], leaves)._grad._data  # type: ignore[union-attr]
    return source._data


def shown(result: Any, made: list[Tensor], leaves: list[Any]) -> Any:
    """Return a leaf of the function's result."""
    if type(result) is Slot:
        return made[result.place]
    if type(result) is ViewOf:
        part: Any = replay(result.steps, made[result.place])
        return part if result.index is None else part[result.index]
    if type(result) is Given:
        at: Any = result.position
        tensor = leaves[at] if result.tensor is None else result.tensor
        if result.steps is None:
            return tensor
        view: Any = replay(result.steps, tensor)
        return view if result.index is None else view[result.index]
    return result


# --- capturing ------------------------------------------------------------------------


def captured(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    leaves: list[Any],
    backend: str,
) -> Captured:
    """Run a function on `Traced` arrays and return its program."""
    for leaf in leaves:
        if isinstance(leaf, ndarray):
            raise failures.untraceable(
                "an argument is a NumPy array", "Pass torch.from_numpy(array)"
            )
    with Tracer() as tracer:
        positions = tracer.positions
        for position, leaf in enumerate(leaves):
            if isinstance(leaf, Tensor):
                positions.setdefault(id(leaf), position)
                tracer.old.add(id(leaf))
                tracer.adopt(leaf, born=False, alone=True)
        result = function(*args, **kwargs)
        made = Captured(tracer, function)
        finish(tracer, made, result, positions, backend)
        del result
    check_kept(tracer)
    return made


def check_kept(tracer: Tracer) -> None:
    """Refuse a function that keeps what it computes, other than in what it returns.

    Eager mode would keep something else each time; a replay does not run such code.
    """
    made = tracer.made
    tracer.forget()
    for attempt in (0, 1):
        if all([reference() is None for reference in made]):
            return
        if attempt == 0:
            gc.collect()
    raise failures.CaptureError(
        "the function keeps a tensor that it has computed (in an attribute, a list, a "
        "global). Return it, or write it to a tensor that exists before with copy_()"
    )


def finish(
    tracer: Tracer,
    made: Captured,
    result: Any,
    positions: dict[int, int],
    backend: str,
) -> None:
    """Take from a trace what a replay has to do."""
    graph = tracer.graph
    outputs: list[Node] = []
    tensors: list[Tensor] = []
    slots: dict[int, int] = {}

    def slot(tensor: Tensor) -> int:
        """Return the place among the outputs of a tensor that was made inside."""
        if id(tensor) not in slots:
            tracer.touch((tensor,))
            data: Any = tensor._data
            if type(data).__name__ != "Traced":
                raise failures.untraceable(
                    "a result belongs to a transformation that has ended",
                    "Return what the transformation returns",
                )
            slots[id(tensor)] = len(outputs)
            outputs.append(data.node)
            tensors.append(tensor)
        return slots[id(tensor)]

    found_leaves, made.structure = tree.flatten(result)
    whole = {id(leaf) for leaf in found_leaves}
    for leaf in found_leaves:
        made.results.append(
            result_of(leaf, tracer, positions, slot, whole)
            if isinstance(leaf, Tensor)
            else leaf
        )
    returned = len(outputs)
    for record in list(tracer.adopted.values()):
        if not record.born:
            effects(tracer, made, record, positions, slot)
    if tracer.unused:
        raise failures.untraceable(
            "random numbers are drawn in a way that cannot be captured",
            "Draw them outside of the compiled function and pass them",
        )
    tracer.check_options()
    check_sharing(graph, tracer)
    if tracer.token is not None:
        outputs.append(tracer.token)  # so that all draws are made, in their order
    graph.outputs = outputs
    made.derivative = derivative_of(tracer, tensors[:returned], positions, backend)
    made.sources = [source_of(source, positions) for source in tracer.sources]
    made.writes = bool(graph.writes)
    for place, source in enumerate(made.sources):
        if type(source) is int:
            made.arguments.append(place)
        elif type(source) is not ScalarOf:
            made.others.append(place)
    made.program = compiled_program(graph, backend)
    made.prudence = Prudence(graph, frozenset(tracer.safe_calls))


def compiled_program(graph: Graph, backend: str) -> Program:
    """Return a program; the kernels are not for arrays without elements."""
    if any(node.size == 0 for node in graph.nodes):
        backend = "numpy"
    return compile_graph(graph, backend)


def source_of(source: Any, positions: dict[int, int]) -> Any:
    if isinstance(source, Tensor):
        return positions.get(id(source), source)
    if isinstance(source, GradOf):
        return (positions.get(id(source.tensor), source.tensor),)
    return source


def result_of(
    tensor: Tensor,
    tracer: Tracer,
    positions: dict[int, int],
    slot: Callable[..., int],
    returned: set[int],
) -> Any:
    """Return what stands for a tensor of the function's result."""
    special = tensor._special
    base = special.base if isinstance(special, View) else tensor
    record = tracer.adopted.get(id(base))
    if id(tensor) in tracer.adopted and not tracer.adopted[id(tensor)].born:
        base, special = tensor, None
        record = tracer.adopted[id(tensor)]
    if record is None or record.born:
        for other in tracer.adopted.values():
            if other.traced is tensor._data and not other.born:
                place = positions.get(id(other.tensor))
                outside = None if place is not None else other.tensor
                return Given(outside, place, ((Tensor.detach, {}),), None)
        if base is not tensor and id(base) in returned:
            steps = special.steps()  # type: ignore[union-attr]
            return ViewOf(slot(base), steps, tensor._data.step[2])
        return Slot(slot(tensor))
    position = positions.get(id(base))
    steps = special.steps() if isinstance(special, View) else None
    index = tensor._data.step[2] if steps is not None else None
    return Given(None if position is not None else base, position, steps, index)


def effects(
    tracer: Tracer,
    made: Captured,
    record: Adopted,
    positions: dict[int, int],
    slot: Callable[..., int],
) -> None:
    """Note what the function did to a tensor from outside."""
    tensor = record.tensor
    place = positions.get(id(tensor), tensor)
    owner = owner_of_grad(tracer, tensor)
    grad: Tensor | None = getattr(tensor, "_grad", None)
    no_grad = None
    if record.special is None and not record.reset and record.node is not None:
        no_grad = record.grad is None
    if owner is None:
        made.conditions.append(
            (
                place,
                record.data.shape,
                record.data.dtype,
                record.node is not None,
                no_grad,
            )
        )
    if type(tensor._data).__name__ != "Traced":
        raise failures.untraceable(
            "a tensor got another array (.data = …)", "Write to it with copy_()"
        )
    if history(tensor) is not record.inside and not record.is_view:
        raise failures.untraceable(
            "a tensor from outside is written to by recorded operations, and would "
            "have "
            "a history",
            "Write under torch.no_grad(), or to a clone()",
        )
    if record.input is not None and tensor._data.node is not record.input:
        tracer.graph.write(record.input, tensor._data.node)
    raised = tensor._version - record.version
    if not raised and record.input is not None:
        raised = int(tensor._data.node is not record.input)
    if raised and not record.is_view:
        if owner is not None:
            made.written.append((GradPlace(positions.get(id(owner), owner)), raised))
        else:
            made.written.append((place, raised))
    if grad is not record.grad:
        made.grads.append((place, None if grad is None else slot(detached(grad))))


class GradPlace:
    """The gradient of a tensor, as a place."""

    def __init__(self, place: Any) -> None:
        self.place = place


def owner_of_grad(tracer: Tracer, tensor: Tensor) -> Tensor | None:
    """Return the tensor whose gradient this was when the trace began."""
    for source in tracer.sources:
        if isinstance(source, GradOf):
            record = tracer.adopted[id(source.tensor)]
            if record.grad is tensor:
                return source.tensor
    return None


def detached(grad: Tensor) -> Tensor:
    if history(grad) is not None:
        raise failures.untraceable(
            "a gradient with a history stays in .grad", "Use torch.autograd.grad"
        )
    return grad


def check_sharing(graph: Any, tracer: Tracer) -> None:
    """Refuse inputs that share memory if one of them is written to."""
    written = {target for target, _ in graph.writes}
    inputs = [r for r in tracer.adopted.values() if r.input is not None]
    for record in inputs:
        if record.input not in written:
            continue
        for other in inputs:
            if (
                other is not record
                and np.may_share_memory(record.data, other.data)
                and np.shares_memory(record.data, other.data)
            ):
                raise failures.untraceable(
                    "two tensors share memory that is written to",
                    "Make one of them a view of the other inside the function",
                )


__all__ = ["Captured", "Miss", "captured", "modes"]
