"""Capture: ordinary code runs once on `Traced` arrays and leaves a graph.

A tour. `Tracer` is one run. Whatever tensor an op is about to see is *adopted*: while
the trace lasts, its array is a `Traced` one. If the tensor is older than the trace,
that stands for an input, which is read anew at each replay; if it was made inside, for
a constant (or numbers that are drawn again). `Tracer.process` turns each primitive into
nodes, see `lowering`. At the end `Tracer.restore` gives all tensors their arrays back.

"""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Iterable, Sequence
from functools import partial
from operator import is_
from threading import RLock, get_ident
from typing import Any

import numpy as np
from numpy import ndarray

from .. import dispatch, modes
from ..engine import Cotangents, Edges, Node as Step, clock
from ..kernels.memory_order import order_of
from ..layers.traced import Traced
from ..primitive import Primitive
from ..primitives.op import registry
from ..tensor import AccumulateGrad, Special, Tensor, rebind, version_of, wrap_at
from ..views import View, replay
from . import failures, placing
from .calls import Calls
from .failures import CaptureError
from .graph import Node
from .lowering import lowered
from .orders import follow_memory, inherit_order
from .symbol import DTYPES, Symbol, Untraceable
from .watch import Watch

RESHAPES = ("view", "alias", "unsqueeze", "squeeze", "squeeze_dim", "squeeze_dims")
TWINS = {"pow_number": "pow", "remainder_number": "remainder", "fmod_number": "fmod"}
"""What takes numbers, and what takes arrays instead."""
tracing = RLock()
"""There is one trace at a time: it changes what all threads see."""
current: Tracer | None = None


class GradOf:
    """An input of the graph: the array of a tensor's gradient."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class Boundary(Step):
    """Stands for the history that a tensor has from outside of a trace."""

    __slots__ = ()

    def __init__(self) -> None:
        self.number = next(clock)
        self.edges = ()
        self.fits = None

    def apply(self, grad: Any, edges: Edges) -> Cotangents:
        raise failures.untraceable(
            "backward() reaches what was computed outside of the compiled function",
            "Compute it inside, or call backward() outside",
        )

    apply_recorded = apply


class Adopted:
    """A tensor as it was when the trace met it."""

    def __init__(self, tensor: Tensor, born: bool, reset: bool) -> None:
        self.tensor = tensor
        self.born = born
        self.data = tensor._data
        self.special = tensor._special
        self.node = tensor._node
        self.version = version_of(tensor)
        self.grad: Tensor | None = getattr(tensor, "_grad", None)
        self.reset = reset
        """Whether its gradient is forgotten before anybody looks at it."""
        self.looked = False
        """Whether the function has asked for its gradient."""
        self.input: Node | None = None
        self.traced: Any = None
        self.inside: Any = None
        """The node that the tensor has while the trace lasts."""

    @property
    def is_view(self) -> bool:
        """Whether its memory is that of another adopted tensor."""
        return self.input is None and isinstance(self.special, View)


class Tracer(Calls):
    """One run of a function on `Traced` arrays."""

    def __init__(self) -> None:
        super().__init__()
        self.thread = get_ident()
        self.adopted: dict[int, Adopted] = {}
        self.old: set[int] = set()
        self.owners: dict[int, Tensor] = {}
        """Whose gradient a tensor was when the trace began, by its identity."""
        self.positions: dict[int, int] = {}
        """Where tensors are among the function's arguments, by their identity."""
        self.reset: set[int] = set()
        self.options: dict[int, tuple[Any, dict[str, Any]]] = {}
        self.knows_order = False
        """Whether the program depends on how its inputs lie in memory."""
        self.paused = False
        """Whether tensors are looked at that the function itself does not see."""
        self.sources: list[Any] = []
        """What each input of the graph is: a tensor, or a slot of a step's scalars."""
        self.frozen: list[ndarray] = []
        """The arrays that constants were copied from."""
        self.steps: list[Any] = []
        self.made: list[weakref.ref[Traced]] = []

    # --- entering and leaving ---------------------------------------------------------

    def __enter__(self) -> Tracer:
        global current
        tracing.acquire()
        gc.collect(0)
        self.collecting = gc.isenabled()
        gc.disable()
        self.watch = Watch(self)
        dispatch.tracing = self.touch
        current = self
        return self

    def __exit__(self, *exception: object) -> None:
        global current
        current = None
        dispatch.tracing = None
        self.watch.end()
        self.restore()
        if self.collecting:
            gc.enable()
        tracing.release()

    def restore(self) -> None:
        """Give every tensor that is older than the trace what it had before."""
        for generator, state in self.generators.values():
            generator.set_state(state)
        for group, options in self.options.values():
            group.update(options)
        for record in self.adopted.values():
            if record.born:
                continue
            tensor = record.tensor
            rebind(tensor, record.data, record.special)
            tensor._node = record.node
            tensor._grad = record.grad
            if tensor._counter is not None:
                tensor._counter[0] = record.version

    def forget(self) -> None:
        """Let go of all that the trace has held."""
        self.made = []
        self.adopted = {}
        self.drawn = {}
        self.frozen = []
        self.sources = []
        self.steps = []

    # --- tensors ----------------------------------------------------------------------

    def listens(self) -> bool:
        """Whether what happens now is the function's doing."""
        return get_ident() == self.thread and not self.paused

    def touch(self, args: Sequence[Any]) -> None:
        """Adopt the tensors among the arguments of an op."""
        if not self.listens():
            return
        for arg in args:
            if isinstance(arg, Tensor) and type(arg._data) is ndarray:
                self.adopt(arg)

    def look_at_grad(self, tensor: Tensor) -> None:
        """Adopt a tensor whose gradient is asked for."""
        self.touch((tensor,))
        record = self.adopted.get(id(tensor))
        if record is not None:
            record.looked = True

    def forget_grad(self, tensor: Tensor) -> None:
        """Adopt a tensor that gets another gradient, or none."""
        record = self.adopted.get(id(tensor))
        if record is None:
            self.reset.add(id(tensor))
            self.touch((tensor,))
        elif not record.looked and getattr(tensor, "_grad", None) is record.grad:
            record.reset = True

    def is_born(self, tensor: Any) -> bool:
        """Whether a tensor (or whatever it is) was made inside the trace.

        The garbage collector knows: it does not run meanwhile, so that what is new is
        in its youngest generation.
        """
        if id(tensor) in self.old:
            return False
        return any(map(partial(is_, tensor), gc.get_objects(generation=0)))

    def note_old(self, owner: Any, tensors: Iterable[Tensor]) -> None:
        """Note that tensors are as old as what holds them, if that is old."""
        if not self.is_born(owner):
            self.old.update(map(id, tensors))

    def adopt(
        self,
        tensor: Tensor,
        born: bool | None = None,
        source: Any = None,
        alone: bool = False,
    ) -> Adopted:
        """Let a tensor's array be a `Traced` one for as long as the trace lasts.

        Args:
            born: whether the tensor was made inside; found out if None.
            source: where a replay finds the array, by default in the tensor.
            alone: a view is an input of its own, whatever it is a view of: another call
                has another tensor in its place.
        """
        known = self.adopted.get(id(tensor))
        if known is not None and known.traced is tensor._data:
            return known
        if known is not None:
            raise failures.untraceable(
                "a tensor got another array (.data = …, or NumPy code wrote to it)",
                "Write to it with tensor operations, such as copy_()",
            )
        born = self.is_born(tensor) if born is None else born
        record = Adopted(tensor, born, id(tensor) in self.reset)
        self.adopted[id(tensor)] = record
        special = tensor._special
        if isinstance(special, View) and not alone:
            self.touch((special.base,))
            previous = modes.switch("grad", False)
            try:
                tensor._data = replay(special.steps(), special.base)._data
            finally:
                modes.switch("grad", previous)
        else:
            traced = self.traced(self.first_node(record, source or tensor))
            traced.contiguous = record.data.flags.c_contiguous
            traced.in_memory = order_of(record.data)
            rebind(tensor, traced, Special(0))
        record.traced = tensor._data
        if not born:
            if record.node is not None and not isinstance(record.node, AccumulateGrad):
                tensor._node = Boundary()
            if record.grad is not None and not record.reset:
                self.owners[id(record.grad)] = tensor
                self.adopt(record.grad, born=False, source=GradOf(tensor))
        record.inside = tensor._node
        return record

    def first_node(self, record: Adopted, source: Any) -> Node:
        """Return the node of what is in a tensor's memory before the trace."""
        data = record.data
        if record.born:
            self.frozen.append(data)
            return self.constant(data)
        node = record.input = self.graph.input(data)
        self.sources.append(source)
        self.values[node] = data
        return node

    def traced(self, node: Node) -> Traced:
        made = Traced(self, node)
        self.made.append(weakref.ref(made))
        return made

    # --- ops --------------------------------------------------------------------------

    def process(
        self, primitive: Primitive, args: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        """Add a primitive to the graph and return its results as `Traced` arrays."""
        if primitive.promote is not None:
            args = dispatch.promoted(list(args), primitive)
        if primitive.name in TWINS and isinstance(args[1], Traced):
            primitive = registry[TWINS[primitive.name]]
        if primitive.name == "as_strided" and not (
            isinstance(args[0], Traced) and args[0].contiguous and args[0].base is None
        ):
            raise failures.untraceable(
                "as_strided() of a tensor whose memory is not its own", "Use a clone()"
            )
        self.graph.source = failures.user_line()
        try:
            results = lowered(primitive, [self.symbol(arg) for arg in args], params)
        except Untraceable as reason:
            if primitive.decomposition is not None:
                return self.decomposed(primitive, args, params)
            results = self.opaque(primitive, args, params, str(reason))
        several = isinstance(results, tuple | list)
        made = [
            self.traced(result.node if isinstance(result, Symbol) else result)
            for result in (results if several else (results,))
        ]
        if primitive.kind == "view" and isinstance(args[0], Traced):
            for index, view in enumerate(made):
                place = index if several else None
                view.follow(args[0], (primitive, params, place))
                follow_memory(view, primitive, params, place)
        else:
            inherit_order(made, primitive, args, params)
        return tuple(made) if several else made[0]

    def decomposed(
        self, primitive: Primitive, args: Sequence[Any], params: dict[str, Any]
    ) -> Any:
        """Return the results of a primitive's decomposition, which is for tensors."""
        tensors = [wrap_at(0, arg) if isinstance(arg, Traced) else arg for arg in args]
        results = primitive.decomposition(*tensors, **params)  # type: ignore[misc]
        if isinstance(results, tuple | list):
            return tuple([result._data for result in results])
        return results._data

    def symbol(self, arg: Any) -> Any:
        """Return an argument as lowering rules take it."""
        if isinstance(arg, Traced):
            return Symbol(self.graph, arg.node, shared=True)
        if isinstance(arg, ndarray | np.generic):
            return Symbol(self.graph, self.constant(arg), shared=True)
        return arg

    # --- memory -----------------------------------------------------------------------

    def view_of(
        self,
        base: Node,
        primitive: Primitive,
        params: dict[str, Any],
        index: int | None,
    ) -> Node:
        """Return the node of a view of what has the node `base` now."""
        try:
            results: Any = lowered(primitive, [Symbol(self.graph, base, True)], params)
        except Untraceable as reason:
            results = self.opaque(primitive, [self.traced(base)], params, str(reason))
        result = results if index is None else results[index]
        return result.node if isinstance(result, Symbol) else result

    def written(
        self,
        base: Node,
        value: Node,
        primitive: Primitive,
        params: dict[str, Any],
        index: int | None,
    ) -> Node:
        """Return the node of memory after a view of it was written to."""
        if primitive.name in RESHAPES:
            return self.graph.reshape(value, base.shape)
        if primitive.name.startswith("basic_"):
            with contextlib.suppress(Untraceable):
                return placing.place(self.graph, base, value, params["index"])

        def compute(memory: ndarray, values: ndarray) -> list[ndarray]:
            copy = memory.copy()
            view = primitive.forward(copy, **params)
            (view if index is None else view[index])[...] = values
            return [copy]

        name = f"write_{primitive.name}"
        self.opaque_ops.setdefault(name, "writing to a view")
        return self.call(name, compute, [base, value], [self.example(base)])[0]

    def fitted(self, values: Any, shape: tuple[int, ...], dtype: Any) -> Node:
        """Return the node of values as memory of a shape and dtype takes them."""
        node = (
            values.node
            if isinstance(values, Traced)
            else self.constant(np.asarray(values))
        )
        if node.dtype != dtype:
            if not {node.dtype, np.dtype(dtype)} <= DTYPES:
                raise failures.untraceable(
                    f"writing {node.dtype} to {dtype}", "Convert with .to() before"
                )
            node = self.graph.cast(node, dtype)
        return self.graph.expand(node, tuple(shape))

    def known_values(self, node: Node) -> ndarray:
        """Return the values of a constant, or refuse."""
        if node.op != "constant":
            raise failures.escaped()
        return np.array(node.params["value"])

    def escaped(self) -> CaptureError:
        return failures.escaped()

    def ambiguous(self) -> CaptureError:
        return failures.ambiguous()

    # --- what is not an op ------------------------------------------------------------

    def note_options(self, optimizer: Any) -> None:
        """Note the options of an optimizer, which the function must not change."""
        for group in optimizer.param_groups:
            options = {key: value for key, value in group.items() if key != "params"}
            self.options.setdefault(id(group), (group, options))

    def check_options(self) -> None:
        """Refuse a function that changes options, as a replay would not."""
        for group, options in self.options.values():
            if any([group[key] != value for key, value in options.items()]):
                raise CaptureError(
                    "options of an optimizer, such as the learning rate, change. "
                    "Change them outside of the compiled function"
                )
