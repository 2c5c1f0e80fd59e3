"""Matrix products: operands packed into panels, and tiles kept in registers.

The scheme is Goto and van de Geijn's ("Anatomy of High-Performance Matrix
Multiplication", 2008):

- a *tile* of the result, `Tiling.rows` by `Tiling.columns`, stays in registers while
  the innermost loop adds products of one column of the left operand with one row of the
  right one;
- what that loop reads is packed before, in the order in which it is read: the left
  operand in panels of `rows` rows, the right one in panels of `columns` columns, each
  cut into blocks of `depth` so that a panel stays in the nearest cache. Packing also
  takes care of transposed and strided operands, and of edges (filled with zeros).

Each element is summed in the same order however a product is cut into chunks, so
results do not depend on the number of threads. The code is the same for all shapes: a
product's sizes are arguments, in the order of `Layout`.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from . import llvm
from .emit import SIZES, Value, suffix
from .routine import Routine

DEPTH = 384
FIELDS = (
    *("a", "b", "c", "packed_a", "packed_b", "m", "n", "k", "depth"),
    *("a_down", "a_along", "b_down", "b_along"),  # strides; along k: a's and b's
    *("a_chunks", "a_panels", "b_panels"),  # what a chunk of the packing does
    *("chunk_rows", "chunk_columns", "row_chunks"),  # and one of the product
    *("a_step", "b_step", "c_step"),  # bytes from one product of a batch to the next
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
    """The addresses of ``pack``, ``multiply`` and ``product``, as kernels."""
    return llvm.compile_module(
        module_text(tiling(kind)), ["pack", "multiply", "product"]
    )


def module_text(tiling: Tiling) -> str:
    parts, declared = [], set()
    writers = [_Micro(tiling, v + 1) for v in range(tiling.vectors)]
    writers += [_Edge(tiling), _Single(tiling), _Panels(tiling), _Tiles(tiling)]
    writers += [_Pack(tiling), _Multiply(tiling), _Whole(tiling)]
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
    """Pack panels ``first .. last-1`` of an operand, which is ``count`` by ``k``.

    ``down`` and ``along`` are its strides in elements. Where one of them is one, whole
    vectors are copied, or squares of elements turned in registers; where none is, and
    at edges, element by element. Panels are ``width`` wide, the last as wide as
    ``count``, rounded to a multiple of ``unit``, leaves.
    """

    head = (
        "internal void @panels(ptr noalias %to, ptr noalias %from, i64 %down,"
        " i64 %along, i64 %count, i64 %k, i64 %depth, i64 %first, i64 %last,"
        " i64 %width, i64 %unit) noinline"
    )

    def body(self) -> None:
        p = self.parameter
        count, k, unit = p("count"), p("k"), p("unit")
        padded = self.binary("udiv", count + unit - 1, unit) * unit
        with self.loop(0, k, p("depth")) as start:
            deep = self.least(k - start, p("depth"))
            block = self.at("%to", start * padded)
            source = self.at("%from", start * p("along"))
            with self.loop(p("first"), p("last")) as panel:
                top = panel * p("width")
                self.span = self.least(padded - top, p("width"))
                inside = self.least(count - top, p("width"))
                target = self.at(block, top * deep)
                self._panel(target, self.at(source, top * p("down")), inside, deep)

    def _panel(self, target: str, source: str, inside: Value, deep: Value) -> None:
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
        with (
            self.when(turned),
            self.loop(0, whole, side) as i,
            self.loop(0, even, side) as step,
        ):
            self._turn(
                self.at(source, i * p("down") + step),
                self.at(target, step * self.span + i),
            )
        done = straight.select(deep, turned.select(even, 0))
        self._single(target, source, (0, whole), (done, deep), inside)
        self._single(target, source, (whole, self.span), (0, deep), inside)

    def _turn(self, source: str, target: str) -> None:
        """Transpose a square: rows that lie ``down`` apart, to ones ``span`` apart."""
        side = self.tiling.rows
        rows = [
            self.fetch(self.at(source, self.parameter("down") * i), side)
            for i in range(side)
        ]
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

    def _single(
        self,
        target: str,
        source: str,
        across: tuple[Value | int, Value],
        steps: tuple[Value, Value] | tuple[int, Value],
        inside: Value,
    ) -> None:
        words = [
            *(self.span, *map(self.span._lift, (*across, *steps)), inside),
            *map(self.parameter, ("down", "along")),
        ]
        arguments = ", ".join(f"i64 {x.text}" for x in words)
        self.line(f"  call void @single(ptr {target}, ptr {source}, {arguments})")


class _Single(_Function):
    """Pack a rectangle of a panel, element by element, with zeros beyond ``inside``."""

    head = (
        "internal void @single(ptr noalias %to, ptr noalias %from, i64 %span, i64 %i0,"
        " i64 %i1, i64 %step0, i64 %step1, i64 %inside, i64 %down, i64 %along) noinline"
    )

    def body(self) -> None:
        p = self.parameter
        with (
            self.loop(p("step0"), p("step1")) as step,
            self.loop(p("i0"), p("i1")) as i,
        ):
            safe = self.least(i, p("inside") - 1)
            place = self.at("%from", safe * p("down") + step * p("along"))
            element = self.load(place, self.kind)
            element = i.compare("ult", p("inside")).select(element, 0.0)
            self.store(element, self.at("%to", step * p("span") + i))


class _Tiles(_Function):
    """The tiles of rows ``i0 .. i1`` and columns ``j0 .. j1`` from packed operands."""

    head = (
        "internal void @tiles(ptr %a, ptr %b, ptr %c, i64 %m, i64 %n, i64 %k,"
        " i64 %depth, i64 %i0, i64 %i1, i64 %j0, i64 %j1) noinline"
    )

    def body(self) -> None:
        p, t = self.parameter, self.tiling
        m, n, k = p("m"), p("n"), p("k")
        self.entry.append(
            f"  %tile = alloca [{t.rows * t.columns} x {t.kind}], align 64"
        )
        high, wide = self.rounded(m, t.rows), self.rounded(n, t.lanes)
        with self.loop(0, k, p("depth")) as start:
            self.deep = self.least(k - start, p("depth"))
            self.first = start.compare("eq", 0)
            left, right = self.at("%a", start * high), self.at("%b", start * wide)
            with self.loop(p("j0"), p("j1"), t.columns) as j:
                self.width = self.least(wide - j, t.columns)
                self.columns = self.least(n - j, t.columns)
                panel = self.at(right, j * self.deep)
                with self.loop(p("i0"), p("i1"), t.rows) as i:
                    rows = self.least(m - i, t.rows)
                    place = self.at("%c", i * n + j)
                    self._tile(self.at(left, i * self.deep), panel, place, rows)

    def _tile(self, left: str, right: str, place: str, rows: Value) -> None:
        whole = rows.compare("eq", self.tiling.rows) & self.columns.compare(
            "eq", self.width
        )
        n = self.parameter("n")
        target = self.op(f"select i1 {whole.text}, ptr {place}, ptr %tile", "ptr").text
        stride = whole.select(n, self.width)
        fresh = (whole ^ True) | self.first
        for v in range(1, self.tiling.vectors + 1):
            with self.when(self.width.compare("eq", v * self.tiling.lanes)):
                self.line(
                    f"  call void @micro{v}(ptr {left}, ptr {right},"
                    f" i64 {self.deep.text}, ptr {target}, i64 {stride.text},"
                    f" i1 {fresh.text})"
                )
        with self.when(whole ^ True):
            self.line(
                f"  call void @edge(ptr %tile, i64 {self.width.text}, ptr {place},"
                f" i64 {n.text}, i64 {rows.text}, i64 {self.columns.text},"
                f" i1 {self.first.text})"
            )


class _Kernel(_Function):
    """A function that launches run; it reads its arguments by name."""

    def argument(self, name: str) -> Value:
        place = self.at("%args", self.number(FIELDS.index(name)), "i64")
        return self.load(place, "i64")

    def pointer(self, name: str) -> str:
        place = self.at("%args", self.number(FIELDS.index(name)), "i64")
        return self.load(place, "ptr").text

    def pack(self, side: str, to: str, source: str, first: Value, last: Value) -> None:
        names = (
            f"{side}_down",
            f"{side}_along",
            "m" if side == "a" else "n",
            "k",
            "depth",
        )
        sizes = (
            self.width(side),
            self.tiling.rows if side == "a" else self.tiling.lanes,
        )
        numbers = [*map(self.argument, names), first, last, *map(self.number, sizes)]
        words = ", ".join(f"i64 {x.text}" for x in numbers)
        self.line(f"  call void @panels(ptr {to}, ptr {source}, {words})")

    def tiles(self, a: str, b: str, c: str, *bounds: Value) -> None:
        numbers = [*map(self.argument, ("m", "n", "k", "depth")), *bounds]
        words = ", ".join(f"i64 {x.text}" for x in numbers)
        self.line(f"  call void @tiles(ptr {a}, ptr {b}, ptr {c}, {words})")

    def width(self, side: str) -> int:
        return self.tiling.rows if side == "a" else self.tiling.columns

    def panel_count(self, side: str) -> Value:
        total, unit = self.argument("m" if side == "a" else "n"), self.width(side)
        return self.binary("udiv", total + (unit - 1), self.number(unit))


class _Pack(_Kernel):
    """Some panels of an operand: the first chunks are for the left one."""

    head = "void @pack(ptr %args, i64 %chunk, ptr %scratch)"

    def body(self) -> None:
        chunk, border = self.parameter("chunk"), self.argument("a_chunks")
        left = chunk.compare("ult", border)
        for side, mine, number in (
            ("a", left, chunk),
            ("b", left ^ True, chunk - border),
        ):
            with self.when(mine):
                each = self.argument(f"{side}_panels")
                first = number * each
                last = self.least(first + each, self.panel_count(side))
                self.pack(
                    side,
                    self.pointer(f"packed_{side}"),
                    self.pointer(side),
                    first,
                    last,
                )


class _Multiply(_Kernel):
    """A rectangle of the result, from packed operands."""

    head = "void @multiply(ptr %args, i64 %chunk, ptr %scratch)"

    def body(self) -> None:
        chunk, down = self.parameter("chunk"), self.argument("row_chunks")
        row, column = self.binary("urem", chunk, down), self.binary("udiv", chunk, down)
        bounds = []
        for number, size, total in (
            (row, "chunk_rows", "m"),
            (column, "chunk_columns", "n"),
        ):
            start = number * self.argument(size)
            bounds += [
                start,
                self.least(start + self.argument(size), self.argument(total)),
            ]
        self.tiles(
            self.pointer("packed_a"),
            self.pointer("packed_b"),
            self.pointer("c"),
            *bounds,
        )


class _Whole(_Kernel):
    """A whole product: one of a batch, or a small one."""

    head = "void @product(ptr %args, i64 %chunk, ptr %scratch)"

    def body(self) -> None:
        a, b, c = (
            self.at(
                self.pointer(x),
                self.parameter("chunk") * self.argument(f"{x}_step"),
                "i8",
            )
            for x in "abc"
        )
        zero, m, n = self.number(0), self.argument("m"), self.argument("n")
        self.pack("a", "%scratch", a, zero, self.panel_count("a"))
        size = self.rounded(m, self.tiling.rows) * self.argument("k")
        packed_b = self.at("%scratch", self.rounded(size, 16))
        self.pack("b", packed_b, b, zero, self.panel_count("b"))
        self.tiles("%scratch", packed_b, c, zero, m, zero, n)
