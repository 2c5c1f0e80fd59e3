"""Packing: the right operand of a product, in the order in which tiles read it.

It is cut into blocks of ``depth`` along k, and those into panels of a tile's columns,
the last as wide as what is left, in whole vectors. A panel has its rows one after
another.
"""

from __future__ import annotations

from .emit import Value
from .tiling import Function, Kernel


class Panels(Function):
    """Pack panels ``first .. last-1`` of a block, ``count`` columns and ``deep`` rows.

    ``down`` and ``along`` are the strides of columns and rows in elements. Where one of
    them is one, whole vectors are copied, or squares of elements turned in registers;
    where none is, and at edges, element by element. What is beyond ``count`` stays as
    it is, for its products are left out again.
    """

    head = (
        "internal void @panels(ptr noalias %to, ptr noalias %from, i64 %down,"
        " i64 %along, i64 %count, i64 %deep, i64 %first, i64 %last) noinline"
    )

    def body(self) -> None:
        p = self.parameter
        self.padded = self.rounded(p("count"), self.tiling.lanes)
        straight = p("down").compare("eq", 1)
        with self.when(straight):
            self._copy()
        with self.when(straight ^ True), self.loop(p("first"), p("last")) as panel:
            self._gather(panel)

    def _panel(self, panel: Value) -> tuple[Value, Value, Value]:
        """Where a panel begins, how wide it is, and how much of that is inside."""
        width = self.tiling.columns
        top = panel * width
        return (
            top,
            self.least(self.padded - top, width),
            self.least(self.parameter("count") - top, width),
        )

    def _copy(self) -> None:
        """Row by row through all panels, as memory has it."""
        p, side = self.parameter, self.tiling.rows
        with (
            self.loop(0, p("deep")) as step,
            self.loop(p("first"), p("last")) as panel,
        ):
            top, span, inside = self._panel(panel)
            source = self.at("%from", step * p("along") + top)
            target = self.at("%to", top * p("deep") + step * span)
            whole = self.binary("udiv", inside, self.number(side)) * side
            with self.loop(0, whole, side) as i:
                self.put(self.fetch(self.at(source, i), side), self.at(target, i), side)
            with self.loop(whole, inside) as i:
                self.store(self.load(self.at(source, i), self.kind), self.at(target, i))

    def _gather(self, panel: Value) -> None:
        """Panel by panel: squares where rows are contiguous, then what is left."""
        p, side = self.parameter, self.tiling.rows
        top, span, inside = self._panel(panel)
        source = self.at("%from", top * p("down"))
        target = self.at("%to", top * p("deep"))
        even = self.binary("udiv", p("deep"), self.number(side)) * side
        even = p("along").compare("eq", 1).select(even, 0)
        with self.loop(0, inside, side) as i:
            last = inside - 1
            offsets = [self.least(i + j, last) * p("down") for j in range(side)]
            with self.loop(0, even, side) as step:
                self._turn(
                    source, offsets, step, self.at(target, step * span + i), span
                )
        with self.loop(even, p("deep")) as step, self.loop(0, inside) as i:
            place = self.at(source, i * p("down") + step * p("along"))
            element = self.load(place, self.kind)
            self.store(element, self.at(target, step * span + i))

    def _turn(
        self, source: str, offsets: list[Value], step: Value, target: str, span: Value
    ) -> None:
        """Transpose a square: rows at ``offsets``, to ones ``span`` apart."""
        side = self.tiling.rows
        rows = [self.fetch(self.at(source, x + step), side) for x in offsets]
        distance = side // 2
        while distance:
            rows = self._exchange(rows, distance)
            distance //= 2
        for i, row in enumerate(rows):
            self.put(row, self.at(target, span * i), side)

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


class Packer(Kernel):
    """A kernel that packs, or finds what was packed for all chunks."""

    def shared(self, start: Value) -> str:
        """Where the block that begins at ``start`` lies, packed for all chunks."""
        padded = self.rounded(self.argument("n"), self.tiling.lanes)
        return self.at(self.pointer("packed_b"), start * padded)

    def pack(
        self, to: str, source: str, start: Value, first: Value, last: Value
    ) -> None:
        """Pack panels of the block that begins at ``start``."""
        along = self.argument("b_along")
        numbers = [self.argument("b_down"), along, self.argument("n")]
        words = ", ".join(
            f"i64 {x.text}" for x in (*numbers, self.deep(start), first, last)
        )
        source = self.at(source, start * along)
        self.line(f"  call void @panels(ptr {to}, ptr {source}, {words})")


class Pack(Packer):
    """Some panels of an operand that is packed for all chunks."""

    head = "void @pack(ptr %args, i64 %chunk, ptr %scratch)"

    def body(self) -> None:
        each = self.argument("panels")
        first = self.parameter("chunk") * each
        with self.loop(0, self.argument("k"), self.argument("depth")) as start:
            every = self.quotient(self.argument("n"), self.tiling.columns)
            last = self.least(first + each, every)
            self.pack(self.shared(start), self.pointer("b"), start, first, last)
