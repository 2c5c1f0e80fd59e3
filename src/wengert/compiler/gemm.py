"""Matrix products: tiles of the result in registers, operands read as they lie.

The scheme is Goto and van de Geijn's ("Anatomy of High-Performance Matrix
Multiplication", 2008), without most of its packing:

- a *tile* of the result, `Tiling.rows` by `Tiling.columns`, stays in registers while
  the innermost loop adds products of one column of the left operand with one row of the
  right one (`tiles`);
- the left operand is read as it lies, whatever its strides: each element serves a whole
  row of the tile. So is the right one where its rows are whole vectors; else it is
  packed before, in the order in which it is read (`panels`);
- products go on in blocks of `DEPTH` along k, so that what a tile reads stays in near
  caches for the next.

A chunk of a product packs what it reads into memory of its own, which stays in the
caches of its core. Just a large operand is packed for all chunks, before.

A chunk may end with a call of another kernel, its *epilogue*, on the rows of the
result that it has made: see `epilogues`.

Each element is summed in the same order however a product is cut into chunks, so
results do not depend on the number of threads. The code is the same for all shapes: a
product's sizes are arguments, in the order of `tiling.FIELDS`.
"""

from __future__ import annotations

import functools

from . import llvm
from .emit import Value
from .panels import Pack, Packer, Panels
from .tiles import Edge, Micro, Tiles
from .tiling import Function, Tiling, tiling

DEPTH = 384


Range = tuple[Value, Value]


@functools.cache
def functions(kind: str) -> dict[str, int]:
    """The addresses of ``pack`` and ``multiply``, as kernels."""
    text = module_text(tiling(kind))
    return llvm.compile_module(text, ["pack", "multiply"], finished=True)


def module_text(tiling: Tiling) -> str:
    parts: list[str] = []
    declared: set[str] = set()
    writers: list[Function] = [
        *(Micro(tiling, v + 1) for v in range(tiling.vectors)),
        *(make(tiling) for make in (Edge, Tiles, Panels, Pack, Multiply)),
    ]
    for writer in writers:
        parts.append(writer.text())
        declared |= writer.declared
    return "\n".join([*parts, *sorted(declared)])


class Multiply(Packer):
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
        bounds = ", ".join(f"i64 {x.text}" for x in (*rows, *columns))
        with self.loop(0, self.argument("k"), self.argument("depth")) as start:
            left = self.at(a, start * self.argument("a_along"))
            right = self._right(b, start, columns)
            first, ahead = start.compare("eq", 0).text, self._ahead(c, start)
            self.line(
                f"  call void @tiles(ptr %args, ptr {left}, ptr {right}, ptr {c},"
                f" i64 {self.deep(start).text}, i1 {first}, {bounds}, {ahead})"
            )
        with self.when(self.flag("epilogue")):
            kernel, words = self.pointer("epilogue"), self.pointer("epilogue_args")
            self.line(f"  call void {kernel}(ptr {words}, i64 %chunk, ptr %scratch)")

    def _range(self, total: str, size: str, number: Value) -> Range:
        start = number * self.argument(size)
        return start, self.least(start + self.argument(size), self.argument(total))

    def _right(self, source: str, start: Value, bounds: Range) -> str:
        """Where b's block begins, or would if it were whole: a chunk packs its part."""
        direct, shared = self.flag("direct"), self.flag("packed_b")
        own = self.at("%scratch", self.number(0) - bounds[0] * self.deep(start))
        with self.when((direct | shared) ^ True):
            first, last = (self.quotient(x, self.tiling.columns) for x in bounds)
            self.pack(own, source, start, first, last)
        packed = self.choose(shared, self.shared(start), own)
        there = self.at(source, start * self.argument("b_along"))
        return self.choose(direct, there, packed)

    def _ahead(self, c: str, start: Value) -> str:
        """What is fetched for the epilogue, by the last block; else c once more."""
        last = (start + self.argument("depth")).compare("uge", self.argument("k"))
        found = []
        for name in ("ahead0", "ahead1"):
            wanted = self.flag(name) & last
            found.append(f"ptr {self.choose(wanted, self.pointer(name), c)}")
        return ", ".join(found)
