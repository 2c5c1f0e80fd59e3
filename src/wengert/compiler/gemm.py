"""Matrix products: operands packed into panels, and tiles kept in registers.

The scheme is Goto and van de Geijn's ("Anatomy of High-Performance Matrix
Multiplication", 2008):

- a *tile* of the result, `Tiling.rows` by `Tiling.columns`, stays in registers while
  the innermost loop adds products of one column of the left operand with one row of the
  right one;
- what that loop reads is packed before, in the order in which it is read: the left
  operand in panels of `rows` rows, the right one in panels of `columns` columns, each
  cut into blocks of `depth` so that a panel stays in the nearest cache. Packing also
  takes care of transposed and strided operands.

A chunk of a product packs what it reads into memory of its own, which stays in the
caches of its core: memory that another core has written costs 15 ns a line here. Just
the smaller operand of a large product is packed for all chunks, before.

Each element is summed in the same order however a product is cut into chunks, so
results do not depend on the number of threads. The code is the same for all shapes: a
product's sizes are arguments, in the order of `FIELDS`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from . import llvm
from .emit import SIZES, Value, suffix
from .routine import Routine

DEPTH = 384
FIELDS = (
    *("a", "b", "c", "packed_a", "packed_b"),  # packed for all chunks, or zero
    *("m", "n", "k", "depth"),
    *("a_down", "a_along", "b_down", "b_along"),  # strides; along k: a's and b's
    "panels",  # that a chunk of the packing does
    *("chunk_rows", "chunk_columns", "row_chunks", "chunks"),  # of each product
    *("a_step", "b_step", "c_step"),  # bytes from one product of a batch to the next
    "own_b",  # where in a thread's memory packed b begins, in elements
)


@dataclass(frozen=True)
class Tiling:
    """How the target computes: a tile's rows, and its columns in vectors of lanes.

    With 32 registers 24 hold the tile, with 16 they are 12: the rest are for a row of
    the right operand, and one element of the left one.
    """

    kind: str
    lanes: int
    rows: int
    vectors: int = 3

    @property
    def columns(self) -> int:
        return self.lanes * self.vectors


@functools.cache
def tiling(kind: str) -> Tiling:
    width = llvm.machine().vector_bytes
    return Tiling(kind, width // SIZES[kind], 8 if width == 64 else 4)


@functools.cache
def functions(kind: str) -> dict[str, int]:
    """The addresses of ``pack`` and ``multiply``, as kernels."""
    text = module_text(tiling(kind))
    return llvm.compile_module(text, ["pack", "multiply"], finished=True)


def module_text(tiling: Tiling) -> str:
    parts: list[str] = []
    declared: set[str] = set()
    writers: list[_Function] = []
    writers += [_Micro(tiling, v + 1) for v in range(tiling.vectors)]
    writers += [_Edge(tiling), _Single(tiling), _Panels(tiling), _Tiles(tiling)]
    writers += [_Pack(tiling), _Multiply(tiling)]
    for writer in writers:
        parts.append(writer.text())
        declared |= writer.declared
    return "\n".join([*parts, *sorted(declared)])


class _Function(Routine):
    def __init__(self, tiling: Tiling) -> None:
        super().__init__(tiling.kind)
        self.tiling = tiling


class _Micro(_Function):
    """The product of two panels: one tile, ``vectors`` vectors wide."""

    def __init__(self, tiling: Tiling, vectors: int) -> None:
        super().__init__(tiling)
        self.vectors = vectors
        self.type = self.vector(tiling.lanes)
        self.head = (
            f"internal void @micro{vectors}(ptr noalias %a, ptr noalias %b, i64 %k,"
            " ptr noalias %c, i64 %n, i1 %first) noinline"
        )

    def body(self) -> None:
        rows, lanes = self.tiling.rows, self.tiling.lanes
        cells = [[self._cell() for _ in range(self.vectors)] for _ in range(rows)]
        with self.loop(0, self.parameter("k")) as step:
            row = self.at("%b", step * (lanes * self.vectors))
            column = self.at("%a", step * rows)
            right = [
                self.fetch(self.at(row, self.number(v * lanes)), lanes)
                for v in range(self.vectors)
            ]
            for i in range(rows):
                element = self.load(self.at(column, self.number(i)), self.kind)
                left = self._everywhere(element)
                for v, cell in enumerate(cells[i]):
                    self._add_product(cell, left, right[v])
        first = Value(self, "%first", "i1")
        for condition, old in ((first, False), (first ^ True, True)):
            with self.when(condition):
                self._leave(cells, old)

    def _cell(self) -> str:
        name = f"%{self.name('tile')}"
        self.entry.append(f"  {name} = alloca {self.type}")
        self.entry.append(f"  store {self.type} zeroinitializer, ptr {name}")
        return name

    def _everywhere(self, element: Value) -> str:
        kind = f"{self.type} poison"
        one = self.op(f"insertelement {kind}, {self.kind} {element.text}, i64 0", "")
        mask = f"<{self.tiling.lanes} x i32> zeroinitializer"
        return self.op(f"shufflevector {self.type} {one.text}, {kind}, {mask}", "").text

    def _add_product(self, cell: str, x: str, y: str) -> None:
        total = self.op(f"load {self.type}, ptr {cell}", "").text
        name = f"@llvm.fma.v{self.tiling.lanes}{suffix(self.kind)}"
        kinds = ", ".join([self.type] * 3)
        self.declared.add(f"declare {self.type} {name}({kinds})")
        operands = ", ".join(f"{self.type} {z}" for z in (x, y, total))
        result = self.op(f"call {self.type} {name}({operands})", "")
        self.line(f"  store {self.type} {result.text}, ptr {cell}")

    def _leave(self, cells: list[list[str]], old: bool) -> None:
        """Store the tile, or add it to what earlier blocks of ``k`` have left."""
        n, lanes = self.parameter("n"), self.tiling.lanes
        for i, row in enumerate(cells):
            line = self.at("%c", n * i)
            for v, cell in enumerate(row):
                place = self.at(line, self.number(v * lanes))
                value = self.op(f"load {self.type}, ptr {cell}", "").text
                if old:
                    before = self.fetch(place, lanes)
                    value = self.op(f"fadd {self.type} {before}, {value}", "").text
                self.put(value, place, lanes)


class _Edge(_Function):
    """Take over what is inside of the result from a tile at its edge."""

    head = (
        "internal void @edge(ptr noalias %tile, i64 %width, ptr noalias %c, i64 %n,"
        " i64 %rows, i64 %columns, i1 %first) noinline"
    )

    def body(self) -> None:
        first = Value(self, "%first", "i1")
        with (
            self.loop(0, self.parameter("rows")) as i,
            self.loop(0, self.parameter("columns")) as j,
        ):
            place = self.at("%c", i * self.parameter("n") + j)
            value = self.load(
                self.at("%tile", i * self.parameter("width") + j), self.kind
            )
            before = first.select(0.0, self.load(place, self.kind))
            self.store(before + value, place)


class _Panels(_Function):
    """Pack panels ``first .. last-1`` of an operand that is ``count`` by ``deep``.

    ``down`` and ``along`` are its strides in elements. Where one of them is one, whole
    vectors are copied, or squares of elements turned in registers; where none is, and
    at edges, element by element. Panels are ``width`` wide, the last as wide as
    ``count``, rounded to a multiple of ``unit``, leaves.
    """

    head = (
        "internal void @panels(ptr noalias %to, ptr noalias %from, i64 %down,"
        " i64 %along, i64 %count, i64 %deep, i64 %first, i64 %last,"
        " i64 %width, i64 %unit) noinline"
    )

    def body(self) -> None:
        p = self.parameter
        count, unit, deep = p("count"), p("unit"), p("deep")
        padded = self.binary("udiv", count + unit - 1, unit) * unit
        with self.loop(p("first"), p("last")) as panel:
            top = panel * p("width")
            self.span = self.least(padded - top, p("width"))
            inside = self.least(count - top, p("width"))
            target = self.at("%to", top * deep)
            self._panel(target, self.at("%from", top * p("down")), inside, deep)

    def _panel(self, target: str, source: str, inside: Value, deep: Value) -> None:
        """What is beyond ``inside`` stays as it is: its products are left out again."""
        p, side = self.parameter, self.tiling.rows
        whole = self.binary("udiv", inside, self.number(side)) * side
        even = self.binary("udiv", deep, self.number(side)) * side
        straight = p("down").compare("eq", 1)
        turned = p("along").compare("eq", 1) & (straight ^ True)
        with (
            self.when(straight),
            self.loop(0, deep) as step,
            self.loop(0, whole, side) as i,
        ):
            value = self.fetch(self.at(source, step * p("along") + i), side)
            self.put(value, self.at(target, step * self.span + i), side)
        with self.when(turned), self.loop(0, inside, side) as i:
            last = inside - 1
            offsets = [self.least(i + j, last) * p("down") for j in range(side)]
            with self.loop(0, even, side) as step:
                self._turn(source, offsets, step, self.at(target, step * self.span + i))
        done = straight.select(whole, 0), turned.select(even, 0)
        words = [self.span, done[0], inside, done[1], deep, p("down"), p("along")]
        arguments = ", ".join(f"i64 {x.text}" for x in words)
        self.line(f"  call void @single(ptr {target}, ptr {source}, {arguments})")

    def _turn(
        self, source: str, offsets: list[Value], step: Value, target: str
    ) -> None:
        """Transpose a square: rows at ``offsets``, to ones ``span`` apart."""
        side = self.tiling.rows
        rows = [self.fetch(self.at(source, x + step), side) for x in offsets]
        distance = side // 2
        while distance:
            rows = self._exchange(rows, distance)
            distance //= 2
        for i, row in enumerate(rows):
            self.put(row, self.at(target, self.span * i), side)

    def _exchange(self, rows: list[str], distance: int) -> list[str]:
        """Exchange the off-diagonal blocks of pairs of rows that far apart."""
        side, kind = len(rows), self.vector(len(rows))
        upper = [i if not i & distance else i - distance + side for i in range(side)]
        lower = [i + distance if not i & distance else i + side for i in range(side)]
        result = list(rows)
        for i in range(side):
            if i & distance:
                continue
            pair = f"{kind} {rows[i]}, {kind} {rows[i + distance]}"
            for place, order in ((i, upper), (i + distance, lower)):
                mask = ", ".join(f"i32 {x}" for x in order)
                result[place] = self.op(
                    f"shufflevector {pair}, <{side} x i32> <{mask}>", ""
                ).text
        return result


class _Single(_Function):
    """Pack a rectangle of a panel, element by element."""

    head = (
        "internal void @single(ptr noalias %to, ptr noalias %from, i64 %span, i64 %i0,"
        " i64 %i1, i64 %step0, i64 %step1, i64 %down, i64 %along) noinline"
    )

    def body(self) -> None:
        p = self.parameter
        with (
            self.loop(p("step0"), p("step1")) as step,
            self.loop(p("i0"), p("i1")) as i,
        ):
            place = self.at("%from", i * p("down") + step * p("along"))
            element = self.load(place, self.kind)
            self.store(element, self.at("%to", step * p("span") + i))


class _Tiles(_Function):
    """The tiles of rows ``i0 .. i1`` and columns ``j0 .. j1`` from packed operands."""

    head = (
        "internal void @tiles(ptr %a, ptr %b, ptr %c, i64 %m, i64 %n, i64 %deep,"
        " i1 %first, i64 %i0, i64 %i1, i64 %j0, i64 %j1) noinline"
    )

    def body(self) -> None:
        p, t = self.parameter, self.tiling
        m, n, deep = p("m"), p("n"), p("deep")
        self.entry.append(
            f"  %tile = alloca [{t.rows * t.columns} x {t.kind}], align 64"
        )
        wide = self.rounded(n, t.lanes)
        with self.loop(p("j0"), p("j1"), t.columns) as j:
            self.width = self.least(wide - j, t.columns)
            self.columns = self.least(n - j, t.columns)
            panel = self.at("%b", j * deep)
            with self.loop(p("i0"), p("i1"), t.rows) as i:
                rows = self.least(m - i, t.rows)
                place = self.at("%c", i * n + j)
                self._tile(self.at("%a", i * deep), panel, place, rows)

    def _tile(self, left: str, right: str, place: str, rows: Value) -> None:
        whole = rows.compare("eq", self.tiling.rows) & self.columns.compare(
            "eq", self.width
        )
        n, deep = self.parameter("n"), self.parameter("deep")
        first = Value(self, "%first", "i1")
        target = self.op(f"select i1 {whole.text}, ptr {place}, ptr %tile", "ptr").text
        stride = whole.select(n, self.width)
        fresh = (whole ^ True) | first
        for v in range(1, self.tiling.vectors + 1):
            with self.when(self.width.compare("eq", v * self.tiling.lanes)):
                self.line(
                    f"  call void @micro{v}(ptr {left}, ptr {right},"
                    f" i64 {deep.text}, ptr {target}, i64 {stride.text},"
                    f" i1 {fresh.text})"
                )
        with self.when(whole ^ True):
            self.line(
                f"  call void @edge(ptr %tile, i64 {self.width.text}, ptr {place},"
                f" i64 {n.text}, i64 {rows.text}, i64 {self.columns.text},"
                f" i1 {first.text})"
            )


class _Kernel(_Function):
    """A function that launches run; it reads its arguments by name."""

    def argument(self, name: str) -> Value:
        place = self.at("%args", self.number(FIELDS.index(name)), "i64")
        return self.load(place, "i64")

    def pointer(self, name: str) -> str:
        place = self.at("%args", self.number(FIELDS.index(name)), "i64")
        return self.load(place, "ptr").text

    def width(self, side: str) -> int:
        return self.tiling.rows if side == "a" else self.tiling.columns

    def unit(self, side: str) -> int:
        return self.tiling.rows if side == "a" else self.tiling.lanes

    def total(self, side: str) -> Value:
        return self.argument("m" if side == "a" else "n")

    def quotient(self, x: Value, y: int) -> Value:
        return self.binary("udiv", x + (y - 1), self.number(y))

    def is_shared(self, side: str) -> Value:
        return self.argument(f"packed_{side}").compare("ne", 0)

    def deep(self, start: Value) -> Value:
        return self.least(self.argument("k") - start, self.argument("depth"))

    def shared(self, side: str, start: Value) -> str:
        """Where the block that begins at ``start`` lies, packed for all chunks."""
        padded = self.rounded(self.total(side), self.unit(side))
        return self.at(self.pointer(f"packed_{side}"), start * padded)

    def pack(
        self, side: str, to: str, source: str, start: Value, panels: tuple[Value, Value]
    ) -> None:
        along = self.argument(f"{side}_along")
        numbers = [
            *(self.argument(f"{side}_down"), along, self.total(side), self.deep(start)),
            *panels,
            *map(self.number, (self.width(side), self.unit(side))),
        ]
        words = ", ".join(f"i64 {x.text}" for x in numbers)
        source = self.at(source, start * along)
        self.line(f"  call void @panels(ptr {to}, ptr {source}, {words})")


class _Pack(_Kernel):
    """Some panels of the operand that is packed for all chunks."""

    head = "void @pack(ptr %args, i64 %chunk, ptr %scratch)"

    def body(self) -> None:
        each = self.argument("panels")
        first = self.parameter("chunk") * each
        for side in "ab":
            with (
                self.when(self.is_shared(side)),
                self.loop(0, self.argument("k"), self.argument("depth")) as start,
            ):
                every = self.quotient(self.total(side), self.width(side))
                panels = first, self.least(first + each, every)
                to = self.shared(side, start)
                self.pack(side, to, self.pointer(side), start, panels)


class _Multiply(_Kernel):
    """A rectangle of the result, or of that of one product of a batch."""

    head = "void @multiply(ptr %args, i64 %chunk, ptr %scratch)"

    def body(self) -> None:
        chunk, every = self.parameter("chunk"), self.argument("chunks")
        number = self.binary("udiv", chunk, every)
        a, b, c = (
            self.at(self.pointer(x), number * self.argument(f"{x}_step"), "i8")
            for x in "abc"
        )
        inside, down = self.binary("urem", chunk, every), self.argument("row_chunks")
        rows = self._range("m", "chunk_rows", self.binary("urem", inside, down))
        columns = self._range("n", "chunk_columns", self.binary("udiv", inside, down))
        with self.loop(0, self.argument("k"), self.argument("depth")) as start:
            left = self._packed("a", "%scratch", a, start, rows)
            own_b = self.at("%scratch", self.argument("own_b"))
            right = self._packed("b", own_b, b, start, columns)
            numbers = [self.argument("m"), self.argument("n"), self.deep(start)]
            words = ", ".join(f"i64 {x.text}" for x in numbers)
            bounds = ", ".join(f"i64 {x.text}" for x in (*rows, *columns))
            first = start.compare("eq", 0).text
            self.line(
                f"  call void @tiles(ptr {left}, ptr {right}, ptr {c}, {words},"
                f" i1 {first}, {bounds})"
            )

    def _range(self, total: str, size: str, number: Value) -> tuple[Value, Value]:
        start = number * self.argument(size)
        return start, self.least(start + self.argument(size), self.argument(total))

    def _packed(
        self,
        side: str,
        own: str,
        source: str,
        start: Value,
        bounds: tuple[Value, Value],
    ) -> str:
        """Where the block would begin if it were whole; packed here if it is not."""
        origin = self.at(own, self.number(0) - bounds[0] * self.deep(start))
        width = self.width(side)
        panels = self.quotient(bounds[0], width), self.quotient(bounds[1], width)
        shared = self.is_shared(side)
        with self.when(shared ^ True):
            self.pack(side, origin, source, start, panels)
        whole = self.shared(side, start)
        text = f"select i1 {shared.text}, ptr {whole}, ptr {origin}"
        return self.op(text, "ptr").text
