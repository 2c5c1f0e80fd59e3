"""The innermost part of a product: tiles of the result, kept in registers."""

from __future__ import annotations

from .emit import Value, suffix
from .tiling import Function, Kernel, Tiling

_PACE = 8  # steps along k for each line of the result that is fetched ahead
_AHEAD = 2  # tiles that a's rows are fetched ahead


class Micro(Function):
    """One tile, ``vectors`` vectors wide, from rows of a and of b.

    The rows of a are ``a_row`` elements apart, but none lies behind the row ``last``.

    While it computes it fetches ahead, a line now and then, for many at once would keep
    b's waiting: the tile's part of c and of two matrices that are laid out alike, into
    the nearest cache, to be written (a core that reads a line which it then writes asks
    others for it twice); and a's rows of a later tile, into the next cache.
    """

    def __init__(self, tiling: Tiling, vectors: int) -> None:
        super().__init__(tiling)
        self.vectors = vectors
        self.type = self.vector(tiling.lanes)
        self.head = (
            f"internal void @micro{vectors}(ptr noalias %a, i64 %a_row, i64 %a_step,"
            " i64 %last, ptr noalias %b, i64 %b_step, i64 %k, ptr noalias %c, i64 %n,"
            " i1 %first, ptr %soon0, ptr %soon1, ptr %soon2) noinline"
        )

    def body(self) -> None:
        p, rows = self.parameter, range(self.tiling.rows)
        cells = [[self._cell() for _ in range(self.vectors)] for _ in rows]
        lines = [
            self.at("%a", self.least(self.number(i), p("last")) * p("a_row"))
            for i in rows
        ]
        with self.loop(0, p("k"), _PACE) as start:
            self._fetch_ahead(start)
            with self.loop(start, self.least(start + _PACE, p("k"))) as step:
                self._add_products(cells, lines, step)
        first = Value(self, "%first", "i1")
        for condition, old in ((first, False), (first ^ True, True)):
            with self.when(condition):
                self._leave(cells, old)

    def _cell(self) -> str:
        name = f"%{self.name('tile')}"
        self.entry.append(f"  {name} = alloca {self.type}")
        self.entry.append(f"  store {self.type} zeroinitializer, ptr {name}")
        return name

    def _fetch_ahead(self, start: Value) -> None:
        """One line of each matrix: of the tile's rows in turn, again and again."""
        number = self.binary("udiv", start, self.number(_PACE))
        rows = self.number(self.tiling.rows)
        row = self.binary("urem", number, rows) * self.parameter("n")
        offset = row + (self.binary("udiv", number, rows) & 3) * self.tiling.lanes
        for name in ("%soon0", "%soon1", "%soon2"):
            self._prefetch(self.at(name, offset), written=True, level=3)

    def _prefetch(self, place: str, written: bool, level: int) -> None:
        name = "@llvm.prefetch.p0"
        self.declared.add(f"declare void {name}(ptr, i32, i32, i32)")
        self.line(
            f"  call void {name}(ptr {place}, i32 {written:d}, i32 {level}, i32 1)"
        )

    def _add_products(
        self, cells: list[list[str]], lines: list[str], step: Value
    ) -> None:
        p, lanes = self.parameter, self.tiling.lanes
        row = self.at("%b", step * p("b_step"))
        right = [
            self.fetch(self.at(row, self.number(v * lanes)), lanes)
            for v in range(self.vectors)
        ]
        offset = step * p("a_step")
        later = (step & (len(lines) - 1)) + _AHEAD * len(lines)
        place = self.at("%a", later * p("a_row") + offset)
        self._prefetch(place, written=False, level=2)
        for line, tile_row in zip(lines, cells, strict=True):
            left = self._everywhere(self.load(self.at(line, offset), self.kind))
            for cell, other in zip(tile_row, right, strict=True):
                self._add_product(cell, left, other)

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


class Edge(Function):
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


class Tiles(Kernel):
    """The tiles of rows ``i0 .. i1`` and columns ``j0 .. j1``, for a block along k.

    ``a`` and ``b`` are the block's first elements; b is packed, or read as it lies.
    """

    head = (
        "internal void @tiles(ptr %args, ptr %a, ptr %b, ptr %c, i64 %deep, i1 %first,"
        " i64 %i0, i64 %i1, i64 %j0, i64 %j1, ptr %ahead0, ptr %ahead1) noinline"
    )

    def body(self) -> None:
        p, t = self.parameter, self.tiling
        self.n, m = self.argument("n"), self.argument("m")
        self.a_down, self.a_along = self.argument("a_down"), self.argument("a_along")
        self.b_along, self.direct = self.argument("b_along"), self.flag("direct")
        across = self.direct.select(1, p("deep"))
        self.entry.append(
            f"  %tile = alloca [{t.rows * t.columns} x {t.kind}], align 64"
        )
        wide = self.rounded(self.n, t.lanes)
        with self.loop(p("j0"), p("j1"), t.columns) as j:
            self.width = self.least(wide - j, t.columns)
            self.columns = self.least(self.n - j, t.columns)
            panel = self.at("%b", j * across)
            with self.loop(p("i0"), p("i1"), t.rows) as i:
                rows = self.least(m - i, t.rows)
                self._tile(self.at("%a", i * self.a_down), panel, i * self.n + j, rows)

    def _tile(self, left: str, right: str, offset: Value, rows: Value) -> None:
        whole = rows.compare("eq", self.tiling.rows)
        whole = whole & self.columns.compare("eq", self.width)
        place = self.at("%c", offset)
        target = self.choose(whole, place, "%tile")
        stride = whole.select(self.n, self.width)
        fresh = (whole ^ True) | Value(self, "%first", "i1")
        step = self.direct.select(self.b_along, self.width)
        soon = [self.at(x, offset) for x in ("%c", "%ahead0", "%ahead1")]
        words = (
            f"ptr {left}, i64 {self.a_down.text}, i64 {self.a_along.text},"
            f" i64 {(rows - 1).text}, ptr {right}, i64 {step.text}, i64 %deep,"
            f" ptr {target}, i64 {stride.text}, i1 {fresh.text},"
            f" ptr {soon[0]}, ptr {soon[1]}, ptr {soon[2]}"
        )
        for v in range(1, self.tiling.vectors + 1):
            with self.when(self.width.compare("eq", v * self.tiling.lanes)):
                self.line(f"  call void @micro{v}({words})")
        with self.when(whole ^ True):
            self.line(
                f"  call void @edge(ptr %tile, i64 {self.width.text}, ptr {place},"
                f" i64 {self.n.text}, i64 {rows.text}, i64 {self.columns.text},"
                f" i1 %first)"
            )
