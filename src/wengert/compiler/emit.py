"""LLVM IR as text: values with operators, and a builder that writes the lines.

Text is quicker to make than llvmlite's IR objects, needs no llvmlite, and is the key
under which a compiled kernel is cached. A `Value` is the name of an SSA register and
its type; Python's operators on values append instructions.

The operators emit strict floating point. `Value.contracted` allows a product and a sum
to become one fused operation, which rounds once less; no flag that could change a
special value is used anywhere.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

FLOATS = ("float", "double")
SIZES = {"i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "i128": 16}
SIZES |= {"float": 4, "double": 8}
_TYPES = {
    "b1": "i1",
    "i1": "i8",
    "u1": "i8",
    "i2": "i16",
    "i4": "i32",
    "i8": "i64",
    "f4": "float",
    "f8": "double",
}
_COPIED = {"f2": "i16", "c8": "i64", "c16": "i128"}
"""What kernels move in memory, and do not compute with."""


def llvm_type(dtype: np.dtype) -> str:
    """The register type of a NumPy dtype.

    Raises:
        KeyError: kernels do not even copy that dtype.
    """
    name = dtype.str[1:]
    return _TYPES.get(name) or _COPIED[name]


@functools.cache
def is_native(dtype: np.dtype) -> bool:
    """Whether kernels compute with the dtype."""
    return dtype.str[1:] in _TYPES and dtype.isnative


def aligned(type_name: str) -> str:
    """What a load or store says about a type that NumPy aligns less than LLVM does."""
    return ", align 8" if type_name == "i128" else ""


def bits_of(value: Any, dtype: np.dtype) -> int:
    """A number's bits, for a dtype that kernels only move."""
    return int.from_bytes(np.asarray(value, dtype).tobytes(), "little")


def suffix(type_name: str) -> str:
    """A type's name in the names of LLVM's intrinsics."""
    return {"float": "f32", "double": "f64"}.get(type_name, type_name)


def literal(value: Any, type_name: str) -> str:
    """A constant's text; floats as their bits, so that every value is exact."""
    if type_name == "i1":
        return "true" if value else "false"
    if type_name not in FLOATS:
        return str(int(value))
    with np.errstate(over="ignore"):
        number = float(np.float32(value)) if type_name == "float" else float(value)
    return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"


class Value:
    """An SSA value; operators emit instructions, Python numbers become constants."""

    __slots__ = ("emitter", "text", "type")

    def __init__(self, emitter: Emitter, text: str, type_name: str) -> None:
        self.emitter = emitter
        self.text = text
        self.type = type_name

    def _binary(self, other: Any, float_op: str, int_op: str) -> Value:
        op = float_op if self.type in FLOATS else int_op
        return self.emitter.binary(op, self, self._lift(other))

    def contracted(self, op: str, other: Value) -> Value:
        """``fadd``, ``fsub`` or ``fmul`` that may fuse with a neighbour."""
        return self.emitter.binary(f"{op} contract", self, other)

    def _lift(self, other: Any) -> Value:
        if isinstance(other, Value):
            return other
        return self.emitter.constant(other, self.type)

    def __add__(self, other: Any) -> Value:
        return self._binary(other, "fadd", "add")

    def __sub__(self, other: Any) -> Value:
        return self._binary(other, "fsub", "sub")

    def __rsub__(self, other: Any) -> Value:
        return self._lift(other) - self

    def __mul__(self, other: Any) -> Value:
        return self._binary(other, "fmul", "mul")

    __radd__ = __add__
    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Value:
        return self._binary(other, "fdiv", "sdiv")

    def __rtruediv__(self, other: Any) -> Value:
        return self._lift(other) / self

    def __neg__(self) -> Value:
        if self.type in FLOATS:
            kind = self.emitter.spell(self.type)
            return self.emitter.op(f"fneg {kind} {self.text}", self.type)
        return self._lift(0) - self

    def __and__(self, other: Any) -> Value:
        return self.emitter.binary("and", self, self._lift(other))

    def __or__(self, other: Any) -> Value:
        return self.emitter.binary("or", self, self._lift(other))

    def __xor__(self, other: Any) -> Value:
        return self.emitter.binary("xor", self, self._lift(other))

    def __lshift__(self, other: Any) -> Value:
        return self.emitter.binary("shl", self, self._lift(other))

    def __rshift__(self, other: Any) -> Value:
        """The arithmetic shift, which keeps the sign."""
        return self.emitter.binary("ashr", self, self._lift(other))

    def compare(self, predicate: str, other: Any) -> Value:
        """``predicate`` is LLVM's: ``olt``, ``une`` ... of floats, else ``slt`` ..."""
        op = "fcmp" if self.type in FLOATS else "icmp"
        kind = self.emitter.spell(self.type)
        text = f"{op} {predicate} {kind} {self.text}, {self._lift(other).text}"
        return self.emitter.op(text, "i1")

    def select(self, yes: Any, no: Any) -> Value:
        """``yes if self else no``, without a branch."""
        typed = yes if isinstance(yes, Value) else no
        yes, no = typed._lift(yes), typed._lift(no)
        kind, flag = self.emitter.spell(yes.type), self.emitter.spell("i1")
        text = f"select {flag} {self.text}, {kind} {yes.text}, {kind} {no.text}"
        return self.emitter.op(text, yes.type)


class Emitter:
    """Appends IR lines to ``lines``; collects what they need to have declared.

    With ``lanes`` the same calls write code on SIMD vectors: a value's ``type`` is that
    of its elements.
    """

    def __init__(self, lanes: int = 1) -> None:
        self.lanes = lanes
        self.lines: list[str] = []
        self.entry: list[str] = []
        """What a kernel does once, before its loops."""
        self.declared: set[str] = set()
        self._count = 0
        self._hidden: dict[tuple[str, str], Value] = {}

    def name(self, prefix: str = "v") -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def spell(self, kind: str) -> str:
        return kind if self.lanes == 1 else f"<{self.lanes} x {kind}>"

    def line(self, text: str) -> None:
        self.lines.append(text)

    def op(self, text: str, type_name: str) -> Value:
        name = f"%{self.name()}"
        self.lines.append(f"  {name} = {text}")
        return Value(self, name, type_name)

    def constant(self, value: Any, type_name: str) -> Value:
        text = literal(value, type_name)
        if self.lanes > 1:
            text = f"splat ({type_name} {text})"
        return Value(self, text, type_name)

    def hidden(self, constant: Value) -> Value:
        """A constant of which LLVM does not know that it is one."""
        key = constant.text, constant.type
        if key not in self._hidden:
            cell, name = f"%{self.name('cell')}", f"%{self.name('hidden')}"
            self.entry += [
                f"  {cell} = alloca {constant.type}",
                f"  store volatile {constant.type} {constant.text}, ptr {cell}",
                f"  {name} = load volatile {constant.type}, ptr {cell}",
            ]
            self._hidden[key] = Value(self, name, constant.type)
        return self._hidden[key]

    def binary(self, op: str, x: Value, y: Value) -> Value:
        return self.op(f"{op} {self.spell(x.type)} {x.text}, {y.text}", x.type)

    def convert(self, op: str, x: Value, type_name: str) -> Value:
        source, target = self.spell(x.type), self.spell(type_name)
        return self.op(f"{op} {source} {x.text} to {target}", type_name)

    def call(self, intrinsic: str, operands: Sequence[Value]) -> Value:
        """An LLVM intrinsic (``llvm.fma``) on operands of one type."""
        element = operands[0].type
        kind = self.spell(element)
        vector = f"v{self.lanes}" if self.lanes > 1 else ""
        function = f"@{intrinsic}.{vector}{suffix(element)}"
        types = ", ".join([kind] * len(operands))
        self.declared.add(f"declare {kind} {function}({types})")
        arguments = ", ".join(f"{kind} {x.text}" for x in operands)
        return self.op(f"call {kind} {function}({arguments})", element)

    def fma(self, x: Value, y: Any, z: Any) -> Value:
        return self.call("llvm.fma", [x, x._lift(y), x._lift(z)])

    def horner(self, x: Value, coefficients: Sequence[float]) -> Value:
        """The polynomial whose coefficients are given from the constant one on."""
        result = self.constant(coefficients[-1], x.type)
        for c in reversed(coefficients[:-1]):
            result = self.fma(result, x, c)
        return result

    def bits(self, x: Value) -> Value:
        return self.convert("bitcast", x, "i32" if x.type == "float" else "i64")

    def from_bits(self, x: Value) -> Value:
        return self.convert("bitcast", x, "float" if x.type == "i32" else "double")

    def load(self, pointer: str, type_name: str, metadata: str = "") -> Value:
        """A value in memory; a bool is a byte there."""
        memory = "i8" if type_name == "i1" else type_name
        at = aligned(memory)
        value = self.op(f"load {memory}, ptr {pointer}{at}{metadata}", memory)
        return value.compare("ne", 0) if type_name == "i1" else value

    def store(self, value: Value, pointer: str, metadata: str = "") -> None:
        if value.type == "i1":
            value = self.convert("zext", value, "i8")
        at = aligned(value.type)
        self.line(f"  store {value.type} {value.text}, ptr {pointer}{at}{metadata}")
