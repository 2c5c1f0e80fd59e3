"""What a kernel computes at each element: loads, expressions, and rows kept for later.

`Values` is the part of a kernel's writer that turns a node at a place into IR. It knows
which axes are loops (`choose_loops` collapses those that memory allows), which values
change within a row, and which are read back in a later phase instead of being computed
again.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from .emit import FLOATS, SIZES, Emitter, Value, bits_of, is_native, llvm_type
from .graph import Node
from .groups import COLUMN, OUTER, ROW, STORE, Group, Sink, is_fused, result_place
from .index import (
    Dynamic,
    Index,
    Place,
    Variable,
    address,
    contiguous_strides,
    through_view,
)
from .layout import memory_strides
from .scalars import emit_op

STASH_COST = 8  # operations: a row's values are rather kept than computed again

Item = tuple[Node, Place]
Vectors = list[dict[Variable, int]]  # coefficients of the axes, for each access


@dataclass(frozen=True)
class Argument:
    """A pointer that a kernel needs: into a node's memory, a sink's, or a service's.

    ``what`` is ``"node"``, ``"sink"``, ``"partial"`` (a sink's, one a chunk) or
    ``"error"``; ``offset`` is in bytes.
    """

    what: str
    owner: object
    offset: int = 0


@dataclass
class Loop:
    """Collapsed axes: ``axis`` is the last of them, whose coefficient is the loop's."""

    axis: int
    size: int
    variable: Value | None = None


class Values:
    """Writes the values of a group's nodes; `kernels` adds the loops around them."""

    def __init__(self, group: Group, stored: set[Node], given_rows: int = 0) -> None:
        self.group, self.stored, self.given_rows = group, stored, given_rows
        self.e = Emitter()
        self.arguments: dict[Argument, int] = {}
        self.pointers: dict[Argument, str] = {}
        self.row_memo: dict[Item, Value] = {}
        self.memo: dict[Item, Value] = {}
        self.stash: dict[Item, Sink | int] = {}
        self.scratch = self.phase = 0
        self.access = ""  # metadata of loads and stores in the current inner loop
        self.first_phase: dict[Item, int] = {}
        self.entry = self.e.entry
        self.metadata: list[str] = []
        self._varies: dict[Item, bool] = {}
        self._ready: dict[Item, int] = {}
        self.row_sinks = {s.node: s for s in group.sinks if s.kind == ROW}
        self.checks_index = any(
            node.op == "gather"
            and not is_in_range(
                node.inputs[1], node.inputs[0].shape[node.params["dim"]]
            )
            for node in group.nodes
        )
        self._choose_loops()

    def _root(self, sink: Sink) -> Item:
        if sink.kind == STORE:
            return sink.node, sink.place
        return sink.node.inputs[0], sink.place

    def _sink_pointer(self, sink: Sink) -> str:
        index = self._sink_address(sink)
        base = self._argument("sink", sink, index.constant * sink.node.dtype.itemsize)
        return self._pointer(base, index, llvm_type(sink.node.dtype))

    # --- loops -----------------------------------------------------------------------

    def _choose_loops(self) -> None:
        group, every = self.group, tuple(range(len(self.group.sizes)))
        vectors = self._address_vectors()
        if group.inner is not None:
            inner = group.inner
        elif group.columns_over is not None:
            inner = tuple(a for a in every if a not in group.columns_over)
        else:
            order = every if self.given_rows else self._ordered(every, vectors)
            loops = self._collapse(order, vectors)
            self.outer, self.inner = loops[:-1], loops[-1:]
            self._finish_loops()
            return
        outer = tuple(a for a in every if a not in inner)
        self.outer = self._collapse(outer, vectors)
        self.inner = self._collapse(self._ordered(inner, vectors), vectors)
        self._finish_loops()

    def _finish_loops(self) -> None:
        if not self.inner:
            self.inner = [Loop(-1, 1)]
        self.rows = prod(loop.size for loop in self.outer)
        self.row_length = prod(loop.size for loop in self.inner)
        self.inner_axes = {loop.axis for loop in self.inner}
        has_row = any(s.kind in (ROW, COLUMN, OUTER) for s in self.group.sinks)
        self.flat = not self.outer and not has_row

    def _address_vectors(self) -> Vectors:
        """The coefficients of the axes in each memory access."""
        vectors = [
            dict(self._sink_address(s).terms)
            for s in self.group.sinks
            if s.kind == STORE
        ]
        vectors += [
            dict(
                address(
                    result_place(s.node, s.place), contiguous_strides(s.node.shape)
                ).terms
            )
            for s in self.group.sinks
            if s.kind in (ROW, COLUMN)
        ]
        for node, place in self.group.walked:
            if node.op == "iota":
                vectors.append(dict(place[node.params["dim"]].terms))
            elif self._is_leaf(node):
                vectors.append(dict(address(place, memory_strides(node)).terms))
        return vectors

    def _ordered(self, axes: tuple[int, ...], vectors: Vectors) -> tuple[int, ...]:
        """The axes, last the one that most accesses walk in steps of one."""
        if not axes:
            return axes

        def score(a: int) -> tuple[int, int]:
            return sum(v.get(a, 0) == 1 for v in vectors), a

        best = max(axes, key=score)
        return (*(a for a in axes if a != best), best)

    def _collapse(self, axes: tuple[int, ...], vectors: Vectors) -> list[Loop]:
        sizes = self.group.sizes
        loops: list[Loop] = []
        for a in axes:
            if loops and all(
                v.get(loops[-1].axis, 0) == v.get(a, 0) * sizes[a] for v in vectors
            ):
                loops[-1] = Loop(a, loops[-1].size * sizes[a])
            else:
                loops.append(Loop(a, sizes[a]))
        return loops

    # --- where things are ------------------------------------------------------------

    def _is_leaf(self, node: Node) -> bool:
        """Whether the kernel reads the node from memory."""
        if node.op == "constant":
            return node.size > 1
        if node in self.group.aliases:
            return True
        if node in self.group.places:
            return False
        if not is_fused(node):
            return True
        return node not in self._computed_here

    @property
    def _computed_here(self) -> set[Node]:
        if not hasattr(self, "_computed"):
            self._computed = self._expression_nodes()
        return self._computed

    def _expression_nodes(self) -> set[Node]:
        """Fused nodes whose operands the scheduler walked, too."""
        walked = self.group.nodes
        loaded = self.group.reads
        return {n for n in walked if is_fused(n) and n not in loaded}

    def _sink_address(self, sink: Sink) -> Index:
        strides = (
            memory_strides(sink.write)
            if sink.write is not None
            else contiguous_strides(sink.node.shape)
        )
        return address(sink.place, strides)

    def _argument(self, what: str, owner: object, offset: int = 0) -> str:
        """The register that holds a pointer, loaded on entry."""
        key = Argument(what, owner, offset)
        if key not in self.pointers:
            number = len(self.arguments)
            self.arguments[key] = number
            self.pointers[key] = f"%p{number}"
            self.entry.append(
                f"  %s{number} = getelementptr i64, ptr %args, i64 {number}"
            )
            self.entry.append(f"  %p{number} = load ptr, ptr %s{number}")
        return self.pointers[key]

    def _pointer(self, base: str, index: Index, kind: str) -> str:
        """``base + index`` elements; the index's constant is part of ``base``."""
        e = self.e
        offset: Value | None = None
        for loop in [*self.outer, *self.inner]:
            coefficient = dict(index.terms).get(loop.axis, 0)
            if coefficient:
                offset = _sum(offset, _times(loop.variable, coefficient))
        for variable, coefficient in index.terms:
            if isinstance(variable, Dynamic):
                found = self._dynamic(variable)
                offset = _sum(offset, _times(found, coefficient))
        if offset is None:
            return base
        memory = "i8" if kind == "i1" else kind
        return e.op(
            f"getelementptr {memory}, ptr {base}, i64 {offset.text}", "ptr"
        ).text

    def _dynamic(self, variable: Dynamic) -> Value:
        """An index from memory; one out of range counts as zero, and is noted."""
        key = (variable.node, (Index(0, ((variable, 1),)),))
        memo = (
            self.memo
            if self._item_varies(variable.node, variable.place)
            else self.row_memo
        )
        if key not in memo:
            e = self.e
            index = self.value(variable.node, variable.place)
            if index.type != "i64":
                index = e.convert("sext", index, "i64")
            if is_in_range(variable.node, variable.size):
                memo[key] = index
                return index
            bad = index.compare("uge", variable.size)
            flag = e.load("%bad", "i64")
            e.store(flag | e.convert("zext", bad, "i64"), "%bad")
            memo[key] = bad.select(0, index)
        return memo[key]

    def _index_value(self, index: Index) -> Value:
        """An index as a number."""
        e = self.e
        total = e.constant(index.constant, "i64")
        for loop in [*self.outer, *self.inner]:
            coefficient = dict(index.terms).get(loop.axis, 0)
            if coefficient:
                total = total + _times(loop.variable, coefficient)
        for variable, coefficient in index.terms:
            if isinstance(variable, Dynamic):
                total = total + _times(self._dynamic(variable), coefficient)
        return total

    # --- values ----------------------------------------------------------------------

    def _operands(self, node: Node, place: Place) -> list[Item]:
        if node.op == "constant" or node.op == "iota" or self._is_leaf(node):
            return []
        if node in self.row_sinks:
            return []
        if node.kind == "view":
            inner = through_view(node, place, self.group.sizes)
            assert inner is not None
            return [(node.inputs[0], inner)]
        if node.op == "gather":
            x, index = node.inputs
            dim = node.params["dim"]
            dynamic = Dynamic(index, place, x.shape[dim])
            inner = (*place[:dim], Index(0, ((dynamic, 1),)), *place[dim + 1 :])
            return [(x, inner), (index, place)]
        return [(x, place) for x in node.inputs]

    def _item_varies(self, node: Node, place: Place) -> bool:
        """Whether the value changes within a row."""
        key = (node, place)
        if key not in self._varies:
            if node.op == "iota":
                result = self._index_varies(place[node.params["dim"]])
            elif node.op == "constant" and node.size == 1:
                result = False
            elif self._is_leaf(node):
                result = self._index_varies(address(place, memory_strides(node)))
            else:
                result = any(self._item_varies(*x) for x in self._operands(node, place))
            self._varies[key] = result
        return self._varies[key]

    def _index_varies(self, index: Index) -> bool:
        return any(
            self._item_varies(v.node, v.place)
            if isinstance(v, Dynamic)
            else self._axis_is_inner(v)
            for v, c in index.terms
            if c
        )

    def _axis_is_inner(self, a: int) -> bool:
        if self.group.inner is not None:
            return a in self.group.inner
        if self.group.columns_over is not None:
            return a not in self.group.columns_over
        return a in self.inner_axes or not self.outer

    def ready(self, node: Node, place: Place) -> int:
        """The first phase in which the value can be computed."""
        key = (node, place)
        if key not in self._ready:
            if node in self.row_sinks:
                sink = self.row_sinks[node]
                result = 1 + self.ready(node.inputs[0], sink.place)
            else:
                operands = self._operands(node, place)
                result = max((self.ready(*x) for x in operands), default=0)
            self._ready[key] = result
        return self._ready[key]

    def value(self, node: Node, place: Place) -> Value:
        """The element's value, emitted here unless it is there already."""
        key = (node, place)
        memo = self.memo if self._item_varies(node, place) else self.row_memo
        if key not in memo:
            memo[key] = self._emit(node, place)
        return memo[key]

    def _emit(self, node: Node, place: Place) -> Value:
        e = self.e
        if (node, place) in self.stash and self.stashed_before((node, place)):
            return self._load_stash(node, place)
        kind = llvm_type(node.dtype)
        if node.op == "constant" and node.size == 1:
            value = node.params["value"].reshape(())[()]
            native = is_native(node.dtype)
            return e.constant(value if native else bits_of(value, node.dtype), kind)
        if node.op == "iota":
            index = self._index_value(place[node.params["dim"]])
            if kind in FLOATS:
                return e.convert("sitofp", index, kind)
            return index if kind == "i64" else e.convert("trunc", index, kind)
        if self._is_leaf(node):
            return self._load(node, place, kind)
        operands = [self.value(*item) for item in self._operands(node, place)]
        if node.kind == "view" or node.op == "gather":
            return operands[0]
        return emit_op(e, node, operands)

    def _load(self, node: Node, place: Place, kind: str) -> Value:
        index = address(place, memory_strides(node))
        memory = self.group.aliases.get(node, node)
        base = self._argument("node", memory, index.constant * node.dtype.itemsize)
        if node.op == "scalar":
            number = self.e.load(base, "double")
            if kind == "double":
                return number
            return self.e.convert(
                "fptrunc" if kind == "float" else "fptosi", number, kind
            )
        return self.e.load(self._pointer(base, index, kind), kind, self.access)

    def hoist(self, node: Node, place: Place, seen: set[Item]) -> None:
        """Emit what a value needs and what does not change within a row."""
        if (node, place) in seen:
            return
        seen.add((node, place))
        if not self._item_varies(node, place):
            self.value(node, place)
            return
        if self.stashed_before((node, place)):
            return
        for item in self._operands(node, place):
            self.hoist(*item, seen)
        if self._is_leaf(node):
            self._hoist_pointer(address(place, memory_strides(node)), seen)

    def _hoist_pointer(self, index: Index, seen: set[Item]) -> None:
        for variable, _ in index.terms:
            if isinstance(variable, Dynamic):
                if self._item_varies(variable.node, variable.place):
                    self.hoist(variable.node, variable.place, seen)
                else:
                    self._dynamic(variable)

    # --- rows kept between phases ----------------------------------------------------

    def _plan_stash(self, phases: list[list[Sink]]) -> None:
        """Choose what a later phase reads back instead of computing again."""
        first: dict[Item, int] = {}
        for number, sinks in enumerate(phases):
            stack = [self._root(s) for s in sinks]
            seen: set[Item] = set()
            while stack:
                item = stack.pop()
                if item in seen or not self._item_varies(*item):
                    continue
                seen.add(item)
                earlier = first.setdefault(item, number)
                if earlier < number and self._worth_keeping(item):
                    self.stash.setdefault(item, self._stash_place(item, phases, number))
                    continue
                stack += self._operands(*item)
        self.first_phase = first

    def _worth_keeping(self, item: Item) -> bool:
        if item in self.stash:
            return True
        node, _ = item
        if node.kind != "elementwise" or node in self.group.reads:
            return False
        cost, stack, seen = 0, [item], set()
        while stack:
            x = stack.pop()
            if x in seen or not self._item_varies(*x) or x in self.stash:
                continue
            seen.add(x)
            cost += x[0].info.cost
            stack += self._operands(*x)
        return cost >= STASH_COST

    def _stash_place(
        self, item: Item, phases: list[list[Sink]], now: int
    ) -> Sink | int:
        """A sink that has stored the value already, or a place in scratch memory."""
        for sinks in phases[:now]:
            for sink in sinks:
                is_it = (sink.node, sink.place) == item and sink.kind == STORE
                if is_it and sink.write is None:
                    return sink
        offset = self.scratch
        self.scratch += -(-self.row_length * SIZES[llvm_type(item[0].dtype)] // 64) * 64
        return offset

    def stashed_before(self, item: Item) -> bool:
        return item in self.stash and self.first_phase[item] < self.phase

    def _stash_pointer(self, item: Item) -> str:
        kind = llvm_type(item[0].dtype)
        where = self.stash[item]
        if isinstance(where, Sink):
            return self._sink_pointer(where)
        e = self.e
        flat: Value | None = None
        for loop in self.inner:
            flat = loop.variable if flat is None else flat * loop.size + loop.variable
        base = e.op(f"getelementptr i8, ptr %scratch, i64 {where}", "ptr")
        memory = "i8" if kind == "i1" else kind
        assert flat is not None
        return e.op(
            f"getelementptr {memory}, ptr {base.text}, i64 {flat.text}", "ptr"
        ).text

    def _load_stash(self, node: Node, place: Place) -> Value:
        kind = llvm_type(node.dtype)
        return self.e.load(self._stash_pointer((node, place)), kind, self.access)

    def _keep(self) -> None:
        """Store what later phases read back."""
        for item, where in self.stash.items():
            if self.first_phase[item] == self.phase and not isinstance(where, Sink):
                pointer = self._stash_pointer(item)
                self.e.store(self.value(*item), pointer, self.access)


def is_in_range(index: Node, size: int) -> bool:
    """Whether an index is constant, and so is known to be below a size."""
    while index.kind == "view":
        index = index.inputs[0]
    if index.op != "constant":
        return False
    values = index.params["value"]
    return bool(values.size) and bool(values.min() >= 0 and values.max() < size)


def _sum(x: Value | None, y: Value) -> Value:
    return y if x is None else x + y


def _times(x: Value | None, factor: int) -> Value:
    assert x is not None
    return x if factor == 1 else x * factor
