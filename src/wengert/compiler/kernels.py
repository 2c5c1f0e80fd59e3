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
from math import ceil

from . import llvm
from .emit import SIZES, Value, llvm_type
from .graph import Node
from .groups import COLUMN, FULL, OUTER, ROW, STORE, Group, Sink, result_place
from .index import address, contiguous_strides
from .scalars import combine, identity
from .values import Argument, Item, Values

BLOCK = 4096  # elements after which a full reduction starts a new partial result
MOST_CHUNKS = 64
MOST_PARTIALS = 16
CHUNK_NS = 8000.0
HALVED_NS, SMALL_NS = 2e3, 100e3  # cut in two, as small products: rows stay cached


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


def build_kernel(group: Group, stored: set[Node], rows: int = 0) -> Kernel:
    """Write the kernel of ``group``.

    Args:
        group: what to compute.
        stored: the nodes that others read.
        rows: how many rows of a matrix each chunk has, where that is given.
    """
    return _Writer(group, stored, rows).build()


def cut(
    group: Group, rows: int, row_length: int, flat: bool, given_rows: int = 0
) -> tuple[float, int, int]:
    """Nanoseconds, how many chunks, and how many rows (or elements) each has."""
    elements = rows * row_length
    cost = sum(n.info.cost for n in group.nodes if n.size > 1 or elements == 1)
    accessed = sum(n.dtype.itemsize for n in group.reads | set(group.results()))
    estimate = elements * (0.05 * cost + 0.03 * accessed)
    most = MOST_CHUNKS if estimate > SMALL_NS else 2
    if any(s.is_final for s in group.sinks):
        most = min(most, MOST_PARTIALS)
    total = elements if flat else rows
    if given_rows:
        each = given_rows * (group.sizes[1] if flat else 1)
        return estimate, ceil(total / each), each
    unit = BLOCK if flat else 1
    wanted = max(ceil(estimate / CHUNK_NS), 1 + (estimate > HALVED_NS))
    wanted = max(1, min(most, wanted, total // unit))
    each = ceil(total / wanted / unit) * unit
    return estimate, ceil(total / each), each


def flops_of(group: Group, elements: int) -> int:
    costs = [n.info.cost for n in group.nodes if n.kind == "elementwise"]
    return elements * sum(costs)


def bytes_of(group: Group) -> int:
    return sum(node.nbytes for node in [*group.reads, *group.results()])


class _Writer(Values):
    # --- the kernel ------------------------------------------------------------------

    def build(self) -> Kernel:
        phases, at_row_end = self._sinks_by_phase()
        self._plan_stash(phases)
        self.estimate, chunks, each = cut(
            self.group, self.rows, self.row_length, self.flat, self.given_rows
        )
        self.single = chunks == 1
        body = self._function(phases, at_row_end, each)
        finals = [s for s in self.group.sinks if s.is_final]
        numbers: list[Argument | int] = list(self.arguments)
        if self.flat:
            numbers += [self.row_length, each]
        return Kernel(
            self.group,
            body,
            self.e.declared,
            numbers,
            chunks,
            self.scratch,
            [] if self.single else finals,
            estimate=self.estimate,
            flops=flops_of(self.group, self.rows * self.row_length),
            nbytes=bytes_of(self.group),
            phases=len(phases),
        )

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
            (len(sink.place) == 0 and self.flat)
            or any(self._index_varies(index) for index in sink.place)
            or (self.flat and not self.group.sizes)
        )

    def _function(
        self, phases: list[list[Sink]], at_row_end: list[Sink], each: int
    ) -> str:
        e = self.e
        self.access = ""
        self._start_totals()
        total = "%n" if self.flat else str(self.rows)
        size = "%each" if self.flat else str(each)
        e.line(f"  %first = mul i64 %chunk, {size}")
        e.line(f"  %end0 = add i64 %first, {size}")
        bound = e.call("llvm.umin", [Value(e, "%end0", "i64"), Value(e, total, "i64")])
        if self.flat and not self._finals():
            self._phases(phases, Value(e, "%first", "i64"), bound)
            self._row_end(at_row_end)
        elif self.flat:
            row = self._open("rows", "%first")
            stop = row + BLOCK
            stop = stop.compare("ult", bound).select(stop, bound)
            self._phases(phases, row, stop)
            self._row_end(at_row_end)
            self._close("rows", row, bound, BLOCK)
        else:
            row = self._open("rows", "%first")
            self._decompose(row)
            self._phases(phases, None, None)
            self._row_end(at_row_end)
            self._close("rows", row, bound, 1)
        self._finish_totals()
        parameters = "ptr %args, i64 %chunk, ptr noalias %scratch"
        attributes = 'nounwind "prefer-vector-width"="512"'
        head = [f"define void @KERNEL({parameters}) {attributes} {{"]
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
            f"  %{label}_i = phi i64 [ {start}, %{label}_before ],"
            f" [ %{label}_next, %{label} ]"
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
            f"  br i1 %{label}_more, label %{label}, label %{label}_done,"
            f" !llvm.loop {hints}"
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
            index = address(
                result_place(sink.node, sink.place), contiguous_strides(sink.node.shape)
            )
            pointer = self._pointer(self.columns[sink], index, value.type)
            old = e.load(pointer, value.type, self.access)
            new = combine(e, sink.node.op, old, value, sink.node.dtype)
            e.store(new, pointer, self.access)
        else:
            old = e.load(accumulators[sink], value.type)
            new = combine(e, sink.node.op, old, value, sink.node.dtype)
            e.store(new, accumulators[sink])

    def _start_accumulators(self, sinks: Iterable[Sink]) -> dict[Sink, str]:
        result = {}
        for sink in sinks:
            if sink.kind in (ROW, FULL):
                result[sink] = self._cell(sink)
        return result

    def _cell(self, sink: Sink) -> str:
        """A variable that starts at the reduction's identity."""
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
            index = address(place, contiguous_strides(sink.node.shape))
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
        """Where a chunk leaves a final reduction: the result, for a lone chunk."""
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

    def _vector_hints(
        self, sinks: list[Sink], lines: list[str], bound: str
    ) -> list[str]:
        """How to vectorise; nothing where LLVM could not (it would complain)."""
        if any(" i128 " in line for line in lines):
            return []
        width = self._vector_width(lines)
        count = int(bound) if bound.isdigit() else None
        folds = [s for s in sinks if s.kind in (ROW, FULL)]
        if any(not self._item_varies(*self._root(s)) for s in folds):
            return []
        interleave = 4 if len(lines) <= 12 else 2 if len(lines) <= 60 else 1
        masked = count is not None and _worth_masks(count, width)
        if masked:
            interleave = 1
        elif count is not None:
            while count < 2 * width:  # a vector loop has to have two turns at least
                width //= 2
            interleave = min(interleave, count // (2 * width))
        if count is not None and count <= 4:
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


def _worth_masks(count: int, width: int) -> bool:
    """Whether a vector loop is to end with a mask, and not with single elements.

    A turn with one element takes about as long as one with a vector of them; masks make
    every turn a little longer, and turns are not interleaved.
    """
    turns, rest = divmod(count, width)
    return rest > 0 and (turns < 6 or rest > 1 + turns / 6)
