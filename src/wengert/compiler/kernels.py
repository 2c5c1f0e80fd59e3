"""One group as one loop kernel: its IR, its arguments and how it is cut into chunks.

The shape of a kernel:

    for row in the chunk's rows:                  (outer axes)
        for each phase:                           (a reduction's result starts the next)
            what depends on the row alone
            for element in the row:               (inner axes; LLVM vectorises this)
                loads, arithmetic, partial reductions, stores
        what is stored once a row
    the chunk's share of column and full reductions

A group without row reductions has no rows: its axes collapse into one where memory
allows, and chunks are ranges of it. All loops are ``do ... while``: sizes are not zero.

The element values are scalars in the IR. Each inner loop says that its iterations are
independent (``parallel_accesses``) and how wide to make its vectors; LLVM's loop
vectoriser does the rest.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, prod

from . import llvm
from .emit import FLOATS, SIZES, Emitter, Value, llvm_type
from .graph import Node
from .index import Dynamic, Index, Place, address, through_view
from .layout import memory_strides
from .scalars import combine, emit_op, identity
from .schedule import (
    COLUMN,
    FULL,
    OUTER,
    ROW,
    STORE,
    Group,
    Sink,
    is_fused,
)

BLOCK = 4096  # elements after which a full reduction starts a new partial result
STASH_COST = 8  # operations: a row's values are rather kept than computed again
MOST_CHUNKS = 64
MOST_PARTIALS = 16
CHUNK_NS = 8000.0


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
class Kernel:
    """What the program needs to know in order to run a group."""

    group: Group
    body: str
    declarations: set[str]
    arguments: list[Argument | int]
    chunks: int
    scratch: int
    partials: list[Sink] = field(default_factory=list)
    estimate: float = 0.0  # nanoseconds
    flops: int = 0
    nbytes: int = 0
    phases: int = 1


@dataclass
class _Loop:
    """Collapsed axes: ``axis`` is the last of them, whose coefficient is the loop's."""

    axis: int
    size: int
    variable: Value | None = None


Item = tuple[Node, Place]


def build_kernel(group: Group, stored: set[Node]) -> Kernel:
    """Write the kernel of ``group``; ``stored`` are the nodes that others read."""
    return _Writer(group, stored).build()


def combining_kernel(op: str, node: Node) -> tuple[str, set[str]]:
    """A kernel that folds partial results: args are result, partials, length, count."""
    e = Emitter()
    kind = llvm_type(node.dtype)
    memory = "i8" if kind == "i1" else kind
    e.line("define void @KERNEL(ptr %args, i64 %chunk, ptr %scratch) {")
    pointers = [e.load(_slot(e, i), "ptr") if i < 2 else None for i in range(4)]
    length, count = (e.load(_slot(e, i), "i64") for i in (2, 3))
    e.line("  br label %columns\ncolumns:")
    e.line("  %j = phi i64 [ 0, %0 ], [ %j1, %store ]")
    e.line("  br label %fold\nfold:")
    e.line("  %i = phi i64 [ 0, %columns ], [ %i1, %fold ]")
    start = e.constant(identity(op, node.dtype), kind)
    e.line(f"  %acc = phi {kind} [ {start.text}, %columns ], [ %total, %fold ]")
    row = Value(e, "%i", "i64") * length + Value(e, "%j", "i64")
    pointer = e.op(
        f"getelementptr {memory}, ptr {pointers[1].text}, i64 {row.text}", "ptr"
    )
    part = e.load(pointer.text, kind)
    total = combine(e, op, Value(e, "%acc", kind), part, node.dtype)
    e.lines[:] = [line.replace("%total", total.text) for line in e.lines]
    e.line("  %i1 = add i64 %i, 1")
    e.line(f"  %more = icmp ult i64 %i1, {count.text}")
    e.line("  br i1 %more, label %fold, label %store\nstore:")
    out = e.op(f"getelementptr {memory}, ptr {pointers[0].text}, i64 %j", "ptr")
    e.store(total, out.text)
    e.line("  %j1 = add i64 %j, 1")
    e.line(f"  %again = icmp ult i64 %j1, {length.text}")
    e.line("  br i1 %again, label %columns, label %done\ndone:\n  ret void\n}")
    return "\n".join(e.lines), e.declared


def _slot(e: Emitter, number: int) -> str:
    return e.op(f"getelementptr i64, ptr %args, i64 {number}", "ptr").text


def element_strides(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(prod(shape[d + 1 :]) for d in range(len(shape)))


class _Writer:
    def __init__(self, group: Group, stored: set[Node]) -> None:
        self.group = group
        self.stored = stored
        self.e = Emitter()
        self.arguments: dict[Argument, int] = {}
        self.pointers: dict[Argument, str] = {}
        self.row_memo: dict[Item, Value] = {}
        self.memo: dict[Item, Value] = {}
        self.stash: dict[Item, Sink | int] = {}
        self.scratch = 0
        self.entry: list[str] = []
        self.metadata: list[str] = []
        self._varies: dict[Item, bool] = {}
        self._ready: dict[Item, int] = {}
        self.row_sinks = {s.node: s for s in group.sinks if s.kind == ROW}
        self.checks_index = any(node.op == "gather" for node in group.nodes)
        self._choose_loops()

    # --- loops -----------------------------------------------------------------------

    def _choose_loops(self) -> None:
        group, every = self.group, tuple(range(len(self.group.sizes)))
        vectors = self._address_vectors()
        if group.inner is not None:
            inner = group.inner
        elif group.columns_over is not None:
            inner = tuple(a for a in every if a not in group.columns_over)
        else:
            loops = self._collapse(self._ordered(every, vectors), vectors)
            self.outer, self.inner = loops[:-1], loops[-1:]
            self._finish_loops()
            return
        outer = tuple(a for a in every if a not in inner)
        self.outer = self._collapse(outer, vectors)
        self.inner = self._collapse(self._ordered(inner, vectors), vectors)
        self._finish_loops()

    def _finish_loops(self) -> None:
        if not self.inner:
            self.inner = [_Loop(-1, 1)]
        self.rows = prod(loop.size for loop in self.outer)
        self.row_length = prod(loop.size for loop in self.inner)
        self.inner_axes = {loop.axis for loop in self.inner}
        has_row = any(s.kind in (ROW, COLUMN, OUTER) for s in self.group.sinks)
        self.flat = not self.outer and not has_row

    def _address_vectors(self) -> list[dict]:
        """For each memory access, its coefficients of the axes; the first is a store's."""
        vectors = [
            dict(self._sink_address(s).terms)
            for s in self.group.sinks
            if s.kind == STORE
        ]
        vectors += [
            dict(address(self._result_place(s), element_strides(s.node.shape)).terms)
            for s in self.group.sinks
            if s.kind in (ROW, COLUMN)
        ]
        for node, place in self.group.walked:
            if node.op == "iota":
                vectors.append(dict(place[node.params["dim"]].terms))
            elif self._is_leaf(node):
                vectors.append(dict(address(place, memory_strides(node)).terms))
        return vectors

    def _ordered(self, axes: tuple[int, ...], vectors: list[dict]) -> tuple[int, ...]:
        """The axes with the one that most accesses walk through in steps of one last."""
        if not axes:
            return axes

        def score(a: int) -> tuple[int, int]:
            return sum(v.get(a, 0) == 1 for v in vectors), a

        best = max(axes, key=score)
        return (*(a for a in axes if a != best), best)

    def _collapse(self, axes: tuple[int, ...], vectors: list[dict]) -> list[_Loop]:
        sizes = self.group.sizes
        loops: list[_Loop] = []
        for a in axes:
            if loops and all(
                v.get(loops[-1].axis, 0) == v.get(a, 0) * sizes[a] for v in vectors
            ):
                loops[-1] = _Loop(a, loops[-1].size * sizes[a])
            else:
                loops.append(_Loop(a, sizes[a]))
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
            else element_strides(sink.node.shape)
        )
        return address(sink.place, strides)

    def _result_place(self, sink: Sink) -> Place:
        dims = sink.node.params["dims"]
        if sink.node.params["keepdim"]:
            return tuple(Index() if d in dims else p for d, p in enumerate(sink.place))
        return tuple(p for d, p in enumerate(sink.place) if d not in dims)

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
        """An index from memory; one that is out of range counts as zero, and is noted."""
        key = (variable.node, (variable,))
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
            return e.constant(node.params["value"].reshape(())[()], kind)
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
        """Choose the values that a later phase reads back instead of computing again."""
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
        """A sink that has stored the value already, or a place in the scratch memory."""
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

    # --- the kernel ------------------------------------------------------------------

    def build(self) -> Kernel:
        phases, at_row_end = self._sinks_by_phase()
        self.phase = 0
        self.first_phase: dict[Item, int] = {}
        self._plan_stash(phases)
        chunks, each = self._chunks(phases)
        self.single = chunks == 1
        body = self._function(phases, at_row_end, each)
        finals = [s for s in self.group.sinks if s.is_final]
        numbers: list[Argument | int] = list(self.arguments)
        if self.flat:
            numbers += [self.row_length, each]
        work = self.group.nodes
        elements = self.rows * self.row_length
        return Kernel(
            self.group,
            body,
            self.e.declared,
            numbers,
            chunks,
            self.scratch,
            [] if self.single else finals,
            estimate=self.estimate,
            flops=elements * sum(n.info.cost for n in work if n.kind == "elementwise"),
            nbytes=sum(n.nbytes for n in self.group.reads)
            + sum(s.node.nbytes for s in self.group.sinks),
            phases=len(phases),
        )

    def _root(self, sink: Sink) -> Item:
        if sink.kind == STORE:
            return sink.node, sink.place
        return sink.node.inputs[0], sink.place

    def _sinks_by_phase(self) -> tuple[list[list[Sink]], list[Sink]]:
        """Sinks in inner loops, by phase; and those done once a row."""
        inside: dict[int, list[Sink]] = {}
        late, at_row_end = [], []
        for sink in self.group.sinks:
            if sink.kind == OUTER or (sink.kind == STORE and not self._in_loop(sink)):
                at_row_end.append(sink)
            elif sink.write is not None:
                late.append(sink)
            else:
                inside.setdefault(self.ready(*self._root(sink)), []).append(sink)
        last = max([*inside, *(self.ready(*self._root(s)) for s in late)], default=0)
        inside.setdefault(last, []).extend(late)
        return [inside.get(i, []) for i in range(last + 1)], at_row_end

    def _in_loop(self, sink: Sink) -> bool:
        return (
            (len(sink.place) == 0
            and self.flat)
            or any(self._axis_is_inner(v) for i in sink.place for v, _ in i.terms)
            or (self.flat and not self.group.sizes)
        )

    def _chunks(self, phases: list[list[Sink]]) -> tuple[int, int]:
        """How many chunks, and how many rows (or elements) each has."""
        elements = self.rows * self.row_length
        cost = sum(n.info.cost for n in self.group.nodes if n.size > 1 or elements == 1)
        accessed = sum(
            n.dtype.itemsize for n in self.group.reads | set(self.group.results())
        )
        estimate = self.estimate = elements * (0.05 * cost + 0.03 * accessed)
        most = MOST_CHUNKS
        if any(s.is_final for s in self.group.sinks):
            most = MOST_PARTIALS
        total = elements if self.flat else self.rows
        unit = BLOCK if self.flat else 1
        wanted = max(1, min(most, ceil(estimate / CHUNK_NS), total // unit))
        each = ceil(total / wanted / unit) * unit
        return ceil(total / each), each

    def _function(
        self, phases: list[list[Sink]], at_row_end: list[Sink], each: int
    ) -> str:
        e = self.e
        self.access = ""
        self._start_totals()
        step = BLOCK if self.flat and self._finals() else (None if self.flat else 1)
        total = "%n" if self.flat else str(self.rows)
        size = "%each" if self.flat else str(each)
        e.line(f"  %first = mul i64 %chunk, {size}")
        e.line(f"  %end0 = add i64 %first, {size}")
        bound = e.call("llvm.umin", [Value(e, "%end0", "i64"), Value(e, total, "i64")])
        if self.flat and step is None:
            self._phases(phases, Value(e, "%first", "i64"), bound)
            self._row_end(at_row_end)
        elif self.flat:
            row = self._open("rows", "%first")
            stop = row + step
            stop = stop.compare("ult", bound).select(stop, bound)
            self._phases(phases, row, stop)
            self._row_end(at_row_end)
            self._close("rows", row, bound, step)
        else:
            row = self._open("rows", "%first")
            self._decompose(row)
            self._phases(phases, None, None)
            self._row_end(at_row_end)
            self._close("rows", row, bound, 1)
        self._finish_totals()
        head = [
            "define void @KERNEL(ptr %args, i64 %chunk, ptr noalias %scratch)"
            ' nounwind "prefer-vector-width"="512" {'
        ]
        if self.flat:
            for i, name in enumerate(("n", "each"), len(self.arguments)):
                self.entry.append(f"  %s{name} = getelementptr i64, ptr %args, i64 {i}")
                self.entry.append(f"  %{name} = load i64, ptr %s{name}")
        if self.checks_index:
            self.entry += ["  %bad = alloca i64", "  store i64 0, ptr %bad"]
        head += [*self.entry, "  br label %start", "start:"]
        return "\n".join([*head, *e.lines, "}", *self.metadata])

    def _finals(self) -> list[Sink]:
        return [s for s in self.group.sinks if s.is_final]

    def _open(self, name: str, first: str) -> Value:
        """Begin a loop of several blocks; its variable."""
        e = self.e
        label = e.name(name)
        self._labels = {**getattr(self, "_labels", {}), name: label}
        e.line(f"  br label %{label}_before\n{label}_before:")
        e.line(f"  br label %{label}\n{label}:")
        e.line(
            f"  %{label}_i = phi i64 [ {first}, %{label}_before ],"
            f" [ %{label}_next, %{label}_latch ]"
        )
        return Value(e, f"%{label}_i", "i64")

    def _close(self, name: str, variable: Value, bound: Value, step: int) -> None:
        e, label = self.e, self._labels[name]
        e.line(f"  br label %{label}_latch\n{label}_latch:")
        e.line(f"  %{label}_next = add nuw nsw i64 {variable.text}, {step}")
        e.line(f"  %{label}_more = icmp ult i64 %{label}_next, {bound.text}")
        e.line(f"  br i1 %{label}_more, label %{label}, label %{label}_done")
        e.line(f"{label}_done:")

    def _decompose(self, row: Value) -> None:
        """The outer loops' variables from the row's number."""
        self.row_memo.clear()
        e = self.e
        rest = row
        for position, loop in reversed(list(enumerate(self.outer))):
            if position == 0:
                loop.variable = rest
                break
            size = e.constant(loop.size, "i64")
            loop.variable = e.binary("urem", rest, size)
            rest = e.binary("udiv", rest, size)

    # --- phases ----------------------------------------------------------------------

    def _phases(
        self, phases: list[list[Sink]], first: Value | None, end: Value | None
    ) -> None:
        if self.flat:
            self.row_memo.clear()
        for number, sinks in enumerate(phases):
            if sinks:
                self.phase = number
                self._phase(sinks, first, end)
        self.phase = len(phases)

    def _phase(self, sinks: list[Sink], first: Value | None, end: Value | None) -> None:
        e = self.e
        self.memo.clear()
        accumulators = self._start_accumulators(sinks)
        seen: set[Item] = set()
        for sink in sinks:
            self.hoist(*self._root(sink), seen)
        group = self._metadata_node("distinct !{}")
        self.access = f", !llvm.access.group {group}"
        start = first.text if first else "0"
        bound = end.text if end else str(self.inner[-1].size)
        middle = self._open_middle_loops()
        label = e.name("loop")
        e.line(f"  br label %{label}_before\n{label}_before:")
        e.line(f"  br label %{label}\n{label}:")
        e.line(
            f"  %{label}_i = phi i64 [ {start}, %{label}_before ], [ %{label}_next, %{label} ]"
        )
        self.inner[-1].variable = Value(e, f"%{label}_i", "i64")
        mark = len(e.lines)
        values = [self.value(*self._root(sink)) for sink in sinks]
        self._keep()
        for sink, value in zip(sinks, values, strict=True):
            self._consume(sink, value, accumulators)
        hints = self._loop_metadata(group, sinks, e.lines[mark:], bound)
        e.line(f"  %{label}_next = add nuw nsw i64 %{label}_i, 1")
        e.line(f"  %{label}_more = icmp ult i64 %{label}_next, {bound}")
        e.line(
            f"  br i1 %{label}_more, label %{label}, label %{label}_done, !llvm.loop {hints}"
        )
        e.line(f"{label}_done:")
        self._close_middle_loops(middle)
        self.access = ""
        self.memo.clear()
        self._end_accumulators(sinks, accumulators)

    def _open_middle_loops(self) -> list[str]:
        names = []
        for number, loop in enumerate(self.inner[:-1]):
            name = f"middle{number}_"
            loop.variable = self._open(name, "0")
            names.append(name)
        return names

    def _close_middle_loops(self, names: list[str]) -> None:
        for name, loop in reversed(list(zip(names, self.inner, strict=False))):
            assert loop.variable is not None
            self._close(name, loop.variable, self.e.constant(loop.size, "i64"), 1)

    def _consume(self, sink: Sink, value: Value, accumulators: dict[Sink, str]) -> None:
        e = self.e
        if sink.kind == STORE:
            e.store(value, self._sink_pointer(sink), self.access)
        elif sink.kind == COLUMN:
            index = address(self._result_place(sink), element_strides(sink.node.shape))
            pointer = self._pointer(self.columns[sink], index, value.type)
            old = e.load(pointer, value.type, self.access)
            new = combine(e, sink.node.op, old, value, sink.node.dtype)
            e.store(new, pointer, self.access)
        else:
            old = e.load(accumulators[sink], value.type)
            new = combine(e, sink.node.op, old, value, sink.node.dtype)
            e.store(new, accumulators[sink])

    def _sink_pointer(self, sink: Sink) -> str:
        index = self._sink_address(sink)
        base = self._argument("sink", sink, index.constant * sink.node.dtype.itemsize)
        return self._pointer(base, index, llvm_type(sink.node.dtype))

    def _start_accumulators(self, sinks: Iterable[Sink]) -> dict[Sink, str]:
        result = {}
        for sink in sinks:
            if sink.kind in (ROW, FULL):
                result[sink] = self._cell(sink)
        return result

    def _cell(self, sink: Sink) -> str:
        """A variable that starts at the reduction's identity (a register, in the end)."""
        e, kind = self.e, llvm_type(sink.node.dtype)
        name = f"%{e.name('acc')}"
        self.entry.append(f"  {name} = alloca {'i8' if kind == 'i1' else kind}")
        e.store(e.constant(identity(sink.node.op, sink.node.dtype), kind), name)
        return name

    def _end_accumulators(self, sinks: Iterable[Sink], cells: dict[Sink, str]) -> None:
        e = self.e
        for sink in sinks:
            if sink not in cells:
                continue
            kind = llvm_type(sink.node.dtype)
            value = e.load(cells[sink], kind)
            if sink.kind == ROW:
                self.row_memo[sink.node, self.group.places[sink.node]] = value
            else:
                self._add_to_total(sink, value)

    def _row_end(self, sinks: list[Sink]) -> None:
        e = self.e
        values = [self.value(*self._root(sink)) for sink in sinks]
        for sink, value in zip(sinks, values, strict=True):
            if sink.kind == OUTER:
                self._add_to_total(sink, value)
            else:
                e.store(value, self._sink_pointer(sink))
        for sink in self.row_sinks.values():
            if sink.output is None and sink.node not in self.stored:
                continue
            place = self.group.places[sink.node]
            index = address(place, element_strides(sink.node.shape))
            base = self._argument(
                "sink", sink, index.constant * sink.node.dtype.itemsize
            )
            kind = llvm_type(sink.node.dtype)
            e.store(self.row_memo[sink.node, place], self._pointer(base, index, kind))

    # --- column and full reductions --------------------------------------------------

    def _start_totals(self) -> None:
        self.totals: dict[Sink, str] = {}
        self.columns: dict[Sink, str] = {}
        for sink in self._finals():
            if sink.kind == COLUMN:
                self._clear_columns(sink)
            else:
                self.totals[sink] = self._cell(sink)

    def _partial_base(self, sink: Sink) -> str:
        """The chunk's place for a final reduction: the result itself for a lone chunk."""
        if self.single:
            return self._argument("sink", sink)
        base = self._argument("partial", sink)
        e = self.e
        offset = Value(e, "%chunk", "i64") * sink.node.nbytes
        return e.op(f"getelementptr i8, ptr {base}, i64 {offset.text}", "ptr").text

    def _clear_columns(self, sink: Sink) -> None:
        e, kind = self.e, llvm_type(sink.node.dtype)
        base = self.columns[sink] = self._partial_base(sink)
        column = self._open("clear", "0")
        memory = "i8" if kind == "i1" else kind
        pointer = e.op(f"getelementptr {memory}, ptr {base}, i64 {column.text}", "ptr")
        e.store(e.constant(identity(sink.node.op, sink.node.dtype), kind), pointer.text)
        self._close("clear", column, e.constant(sink.node.size, "i64"), 1)

    def _add_to_total(self, sink: Sink, value: Value) -> None:
        e, cell = self.e, self.totals[sink]
        old = e.load(cell, value.type)
        e.store(combine(e, sink.node.op, old, value, sink.node.dtype), cell)

    def _finish_totals(self) -> None:
        e = self.e
        for sink, cell in self.totals.items():
            value = e.load(cell, llvm_type(sink.node.dtype))
            e.store(value, self._partial_base(sink))
        if self.checks_index:
            flag = self._argument("error", None)
            bad = e.load("%bad", "i64").compare("ne", 0)
            e.line(f"  br i1 {bad.text}, label %report, label %fine\nreport:")
            e.line(f"  store i64 1, ptr {flag}\n  br label %fine\nfine:")
        e.line("  ret void")

    # --- hints for the vectoriser ----------------------------------------------------

    def _metadata_node(self, text: str) -> str:
        name = f"!@{len(self.metadata)}"
        self.metadata.append(f"{name} = {text}")
        return name

    def _loop_metadata(
        self, group: str, sinks: list[Sink], lines: list[str], bound: str
    ) -> str:
        facts = [
            f'!"llvm.loop.parallel_accesses", {group}',
            '!"llvm.loop.unroll.disable"',
            *self._vector_hints(sinks, lines, bound),
        ]
        name = f"!@{len(self.metadata)}"
        self.metadata.append("")  # keep the number: the node names itself
        place = len(self.metadata) - 1
        nodes = ", ".join(self._metadata_node(f"!{{{fact}}}") for fact in facts)
        self.metadata[place] = f"{name} = distinct !{{{name}, {nodes}}}"
        return name

    def _vector_hints(self, sinks: list[Sink], lines: list[str], bound: str) -> list[str]:
        """How to vectorise; none where LLVM could not do as told (it would complain)."""
        width = self._vector_width(lines)
        count = int(bound) if bound.isdigit() else None
        folds = [s for s in sinks if s.kind in (ROW, FULL)]
        if any(not self._item_varies(*self._root(s)) for s in folds):
            return []
        interleave = 4 if len(lines) <= 12 else 2 if len(lines) <= 60 else 1
        masked = count is not None and count % width != 0 and count < 6 * width
        if masked:
            interleave = 1
        elif count is not None:
            interleave = min(interleave, count // width)
        if count is not None and (count <= 4 or count <= width and not masked):
            return []
        hints = [
            '!"llvm.loop.vectorize.enable", i1 true',
            f'!"llvm.loop.vectorize.width", i32 {width}',
            f'!"llvm.loop.interleave.count", i32 {interleave}',
        ]
        if masked:
            hints.append('!"llvm.loop.vectorize.predicate.enable", i1 true')
        return hints

    def _vector_width(self, lines: list[str]) -> int:
        text = "\n".join(lines)
        kinds = [k for k in ("float", "double") if f" {k} " in text]
        if kinds == ["float", "double"]:
            kinds = ["float"]
        kinds = kinds or [
            k for k in ("i64", "i32", "i16", "i8") if f"load {k}," in text
        ]
        return llvm.machine().vector_bytes // SIZES[kinds[0] if kinds else "i64"]


def _sum(x: Value | None, y: Value) -> Value:
    return y if x is None else x + y


def _times(x: Value | None, factor: int) -> Value:
    assert x is not None
    return x if factor == 1 else x * factor
