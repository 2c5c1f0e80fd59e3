"""A function written by hand as IR, with loops and branches as context managers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .emit import SIZES, Emitter, Value


class Routine(Emitter):
    """A function on arrays of one ``kind`` of elements; ``body`` writes what it does.

    Loops and branches are context managers. ``entry`` holds what comes first: variables
    on the stack.
    """

    head = ""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.entry: list[str] = []

    def text(self) -> str:
        self.body()
        attributes = 'nounwind "prefer-vector-width"="512"'
        lines = [*self.entry, "  br label %start", "start:", *self.lines]
        return "\n".join(
            [f"define {self.head} {attributes} {{", *lines, "  ret void\n}"]
        )

    def body(self) -> None:
        raise NotImplementedError

    def parameter(self, name: str) -> Value:
        return Value(self, f"%{name}", "i64")

    def number(self, value: int) -> Value:
        return self.constant(value, "i64")

    def least(self, x: Value, y: Value | int) -> Value:
        return self.call("llvm.umin", [x, x._lift(y)])

    def at(self, pointer: str, offset: Value, kind: str | None = None) -> str:
        """The address ``offset`` elements behind a pointer."""
        kind = kind or self.kind
        return self.op(
            f"getelementptr {kind}, ptr {pointer}, i64 {offset.text}", "ptr"
        ).text

    def rounded(self, x: Value, unit: int) -> Value:
        return self.binary("udiv", x + (unit - 1), self.number(unit)) * unit

    @contextmanager
    def loop(
        self, start: Value | int, stop: Value, step: Value | int = 1
    ) -> Iterator[Value]:
        """For ``start, start + step ...`` below ``stop``."""
        label = self.name("loop")
        start, step = stop._lift(start), stop._lift(step)
        self.line(f"  br label %{label}_before\n{label}_before:\n  br label %{label}")
        self.line(
            f"{label}:\n  %{label}_i = phi i64 [ {start.text}, %{label}_before ],"
        )
        self.line(f"    [ %{label}_next, %{label}_latch ]")
        index = Value(self, f"%{label}_i", "i64")
        more = index.compare("ult", stop)
        self.line(f"  br i1 {more.text}, label %{label}_body, label %{label}_done")
        self.line(f"{label}_body:")
        yield index
        self.line(f"  br label %{label}_latch\n{label}_latch:")
        self.line(f"  %{label}_next = add nuw nsw i64 {index.text}, {step.text}")
        self.line(f"  br label %{label}\n{label}_done:")

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        label = self.name("when")
        self.line(f"  br i1 {condition.text}, label %{label}, label %{label}_done")
        self.line(f"{label}:")
        yield
        self.line(f"  br label %{label}_done\n{label}_done:")

    # --- vectors: their IR, as text ---------------------------------------------------

    def vector(self, lanes: int) -> str:
        return f"<{lanes} x {self.kind}>"

    def fetch(self, pointer: str, lanes: int) -> str:
        align = SIZES[self.kind]
        return self.op(
            f"load {self.vector(lanes)}, ptr {pointer}, align {align}", "ptr"
        ).text

    def put(self, value: str, pointer: str, lanes: int) -> None:
        align = SIZES[self.kind]
        self.line(f"  store {self.vector(lanes)} {value}, ptr {pointer}, align {align}")
