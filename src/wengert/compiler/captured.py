"""A captured function: the program, where its inputs are, what becomes of its results.

`captured` runs the function under a `Tracer` and takes from the trace what a replay has
to do: read the inputs, run the program, and put results where eager mode would have: in
the arrays that were written to (the program does that), in ``.grad``, and in what the
function returns.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy import ndarray

from .. import tree
from ..tensor import Tensor, history
from ..views import View
from . import failures
from .capture import Adopted, GradOf, Tracer
from .differentiated import Derivative, derivative_of
from .graph import Node
from .guards import Reached
from .places import Given, GradPlace, Slot, ViewOf
from .program import Program, suited_program
from .prudence import Prudence, restore
from .sharing import owner
from .straight import straight


class Captured:
    """The program of a function for certain arguments."""

    def __init__(
        self, tracer: Tracer, function: Callable[..., Any], leaves: list[Any]
    ) -> None:
        self.reached = Reached(function, leaves)
        self.steps = tracer.steps
        self.sources: list[Any] = []
        """What each input is: a place of a tensor, or a scalar of a step."""
        self.conditions: list[tuple[Tensor, bool | None]] = []
        """The tensors that were met, and whether there must be no gradient."""
        self.no_grad: dict[int, bool | None] = {}
        """The same for arguments."""
        self.written: list[tuple[Any, int]] = []
        self.grads: list[tuple[Any, int | None]] = []
        self.released: list[Any] = []
        """The tensors whose old gradients nobody reads."""
        self.results: list[Any] = []
        self.structure: Any = None
        self.targets: set[int] = set()
        """Which inputs are written to."""
        self.output_count = 0
        self.program: Program
        self.prudence: Prudence | None = None
        self.derivative: Derivative | None = None
        self.generators = [found[0] for found in tracer.generators.values()]
        self.opaque = dict(tracer.opaque_ops)
        self.knows_order = tracer.knows_order
        self.replay: Callable[[tuple[Any, ...], dict[str, Any]], Any]

    def shown(self) -> list[int]:
        """Return which outputs become tensors."""
        places = {r.place for r in self.results if isinstance(r, Slot | ViewOf)}
        return sorted(places | {slot for _, slot in self.grads if slot is not None})

    def save(self) -> tuple[list[Any], list[Any]]:
        """Return what computing the inputs changes: counts of steps, random streams."""
        return (
            [step.save() for step in self.steps],
            [generator.get_state() for generator in self.generators],
        )

    def rewind(self, states: tuple[list[Any], list[Any]]) -> None:
        for step, saved in zip(self.steps, states[0], strict=True):
            step.rewind(saved)
        for generator, state in zip(self.generators, states[1], strict=True):
            generator.set_state(state)

    @property
    def run(self) -> Callable[[tuple[Any, ...]], Any]:
        """How to run the program: with care if it could fail half way."""
        if self.prudence is None or not self.prudence.needed:
            return self.program.run
        return self.run_with_care

    def run_with_care(self, arrays: tuple[Any, ...]) -> Any:
        assert self.prudence is not None
        if self.prudence.foresees(arrays):
            raise IndexError("an index is out of range")
        before = self.prudence.save(arrays)
        try:
            return self.program.run(arrays)
        except BaseException:
            restore(before)
            raise

    def explain(self) -> str:
        text = self.program.explain()
        if self.opaque:
            rows = [f"  {name}: {why}" for name, why in self.opaque.items()]
            text += "\neager primitives (no kernel):\n" + "\n".join(rows)
        return text


# --- capturing ------------------------------------------------------------------------


def captured(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    leaves: list[Any],
    arrangement: tree.Structure,
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
        made = Captured(tracer, function, leaves)
        finish(tracer, made, result, positions, backend)
        del result
    check_kept(tracer)
    made.replay = straight(made, leaves, arrangement)
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
    check_frozen(tracer, made.reached)
    check_sharing(graph, tracer)
    if tracer.token is not None:
        outputs.append(tracer.token)  # so that all draws are made, in their order
    graph.outputs = outputs
    made.derivative = derivative_of(tracer, tensors[:returned], positions, backend)
    forget_unread(tracer, made.derivative)
    made.sources = [source_of(source, positions) for source in tracer.sources]
    read = {key_of(x.place) for x in made.sources if type(x) is GradPlace}
    made.released = [place for place, _ in made.grads if key_of(place) not in read]
    made.targets = {graph.inputs.index(target) for target, _ in graph.writes}
    made.output_count = len(graph.outputs)
    made.program = suited_program(graph, backend)
    if not made.program.fails_early:
        made.prudence = Prudence(graph, frozenset(tracer.safe_calls))


def forget_unread(tracer: Tracer, derivative: Derivative | None) -> None:
    """Take out inputs that nobody reads, such as gradients that are replaced."""
    graph = tracer.graph
    read = set(graph.results()) | {target for target, _ in graph.writes}
    stack = list(read)
    while stack:
        for node in stack.pop().inputs:
            if node not in read:
                read.add(node)
                stack.append(node)
    kept_back = derivative.inputs() if derivative is not None else set()
    kept = [
        place
        for place, node in enumerate(graph.inputs)
        if node in read or place in kept_back
    ]
    gone = set(graph.inputs) - {graph.inputs[place] for place in kept}
    if derivative is not None:
        derivative.move({old: new for new, old in enumerate(kept)})
    graph.inputs = [graph.inputs[place] for place in kept]
    tracer.sources = [tracer.sources[place] for place in kept]
    graph.nodes = [node for node in graph.nodes if node in read or node not in gone]


def key_of(place: Any) -> Any:
    """Return what a place is compared by: tensors are compared by identity."""
    return place if type(place) is int else ("tensor", id(place))


def source_of(source: Any, positions: dict[int, int]) -> Any:
    if isinstance(source, Tensor):
        return positions.get(id(source), source)
    if isinstance(source, GradOf):
        return GradPlace(positions.get(id(source.tensor), source.tensor))
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
                place = place_of(tracer, other.tensor, positions)
                return Given(place, ((Tensor.detach, {}),))
        if base is not tensor and id(base) in returned:
            steps = special.steps()  # type: ignore[union-attr]
            return ViewOf(slot(base), steps)
        return Slot(slot(tensor))
    place = place_of(tracer, base, positions)
    if not isinstance(special, View):
        return Given(place)
    return Given(place, special.steps())


def place_of(tracer: Tracer, tensor: Tensor, positions: dict[int, int]) -> Any:
    """Return where a tensor from outside is found."""
    whose = tracer.owners.get(id(tensor))
    if whose is not None:
        return GradPlace(positions.get(id(whose), whose))
    return positions.get(id(tensor), tensor)


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
    whose = tracer.owners.get(id(tensor))
    grad: Tensor | None = getattr(tensor, "_grad", None)
    no_grad = None
    asked = record.looked or (record.special is None and record.node is not None)
    if asked and not record.reset:
        no_grad = record.grad is None
    if type(place) is int:
        made.no_grad[place] = no_grad
    elif whose is None:
        made.conditions.append((tensor, no_grad))
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
        made.written.append((place_of(tracer, tensor, positions), raised))
    if grad is not record.grad:
        made.grads.append((place, None if grad is None else slot(detached(grad))))


def detached(grad: Tensor) -> Tensor:
    if history(grad) is not None:
        raise failures.untraceable(
            "a gradient with a history stays in .grad", "Use torch.autograd.grad"
        )
    return grad


def check_frozen(tracer: Tracer, reached: Reached) -> None:
    """Refuse NumPy arrays from outside: they may hold other numbers next time."""
    for array in tracer.frozen:
        if id(array) in reached.seen or id(owner(array)) in reached.seen:
            raise failures.CaptureError(
                "the function makes a tensor of a NumPy array from outside. Make the "
                "tensor outside, too: it shares the array's memory"
            )


def check_sharing(graph: Any, tracer: Tracer) -> None:
    """Refuse inputs that share memory if one of them is written to."""
    written = {target for target, _ in graph.writes}
    inputs = [r for r in tracer.adopted.values() if r.input is not None]
    for record, others in meeting(inputs):
        if record.input not in written:
            continue
        for other in others:
            if (
                other is not record
                and np.may_share_memory(record.data, other.data)
                and np.shares_memory(record.data, other.data)
            ):
                raise failures.untraceable(
                    "two tensors share memory that is written to",
                    "Make one of them a view of the other inside the function",
                )


def meeting(records: list[Adopted]) -> Iterator[tuple[Adopted, list[Adopted]]]:
    """Return each record with those whose memory may have the same owner."""
    unknown: list[Adopted] = []
    owned: dict[int, list[Adopted]] = {}
    for record in records:
        whose = owner(record.data)
        members = unknown if whose is None else owned.setdefault(id(whose), [])
        members.append(record)
    for members in owned.values():
        for record in members:
            yield record, [*members, *unknown]
    for record in unknown:
        yield record, records
