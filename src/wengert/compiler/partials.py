"""Kernels that fold what the chunks of another have left of a final reduction."""

from __future__ import annotations

from .emit import Emitter, Value, llvm_type
from .graph import Node
from .scalars import combine, identity


def combining_kernel(op: str, node: Node) -> tuple[str, set[str]]:
    """A kernel that folds partial results: args are result, partials, length, count."""
    e = Emitter()
    kind = llvm_type(node.dtype)
    memory = "i8" if kind == "i1" else kind
    e.line("define void @KERNEL(ptr %args, i64 %chunk, ptr %scratch) {")
    result, partials = (e.load(_slot(e, i), "ptr") for i in (0, 1))
    length, count = (e.load(_slot(e, i), "i64") for i in (2, 3))
    e.line("  br label %columns\ncolumns:")
    e.line("  %j = phi i64 [ 0, %0 ], [ %j1, %store ]")
    e.line("  br label %fold\nfold:")
    e.line("  %i = phi i64 [ 0, %columns ], [ %i1, %fold ]")
    start = e.constant(identity(op, node.dtype), kind)
    e.line(f"  %acc = phi {kind} [ {start.text}, %columns ], [ %total, %fold ]")
    row = Value(e, "%i", "i64") * length + Value(e, "%j", "i64")
    pointer = e.op(
        f"getelementptr {memory}, ptr {partials.text}, i64 {row.text}", "ptr"
    )
    part = e.load(pointer.text, kind)
    total = combine(e, op, Value(e, "%acc", kind), part, node.dtype)
    e.lines[:] = [line.replace("%total", total.text) for line in e.lines]
    e.line("  %i1 = add i64 %i, 1")
    e.line(f"  %more = icmp ult i64 %i1, {count.text}")
    e.line("  br i1 %more, label %fold, label %store\nstore:")
    out = e.op(f"getelementptr {memory}, ptr {result.text}, i64 %j", "ptr")
    e.store(total, out.text)
    e.line("  %j1 = add i64 %j, 1")
    e.line(f"  %again = icmp ult i64 %j1, {length.text}")
    e.line("  br i1 %again, label %columns, label %done\ndone:\n  ret void\n}")
    return "\n".join(e.lines), e.declared


def _slot(e: Emitter, number: int) -> str:
    return e.op(f"getelementptr i64, ptr %args, i64 {number}", "ptr").text
