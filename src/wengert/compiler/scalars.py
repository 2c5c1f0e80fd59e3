"""Each elementwise op on one element, as IR: the compiled twin of `ops`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from . import vectormath as vm
from .emit import FLOATS, Emitter, Value, is_native, literal, llvm_type
from .graph import Node

INFINITIES = {literal(value, "float") for value in (np.inf, -np.inf)}
"""How they are written, in either precision."""
Rule = Callable[[Emitter, list[Value], np.dtype], Value]


def has_kernel(node: Node) -> bool:
    """Whether `emit_op` computes this elementwise node."""
    return _has_kernel(node.op, node.dtype, *(x.dtype for x in node.inputs))


@functools.cache
def _has_kernel(op: str, *dtypes: np.dtype) -> bool:
    if not all(map(is_native, dtypes)):
        return False
    if op in _FLOAT_ONLY and any(d.kind != "f" for d in dtypes):
        return False
    return op in _RULES or op == "cast"


def emit_op(e: Emitter, node: Node, operands: list[Value]) -> Value:
    """The IR of ``node`` on the elements ``operands``."""
    source = node.inputs[-1].dtype
    if node.op == "cast":
        return _cast(e, operands[0], source, node.dtype)
    return _RULES[node.op](e, operands, source)


def combine(e: Emitter, op: str, x: Value, y: Value, dtype: np.dtype) -> Value:
    """One step of a reduction; sums and products may be reordered."""
    if op in ("sum", "prod"):
        float_op, int_op = ("fadd", "add") if op == "sum" else ("fmul", "mul")
        strict = int_op if x.type not in FLOATS else f"{float_op} reassoc contract"
        if x.type == "i1":
            strict = "or" if op == "sum" else "and"
        return e.binary(strict, x, y)
    return _RULES["maximum" if op == "amax" else "minimum"](e, [x, y], dtype)


def identity(op: str, dtype: np.dtype) -> Any:
    """What a reduction starts from."""
    if op in ("sum", "prod"):
        return 0 if op == "sum" else 1
    if dtype.kind == "f":
        return -np.inf if op == "amax" else np.inf
    if dtype.kind == "b":
        return op == "amin"
    bounds = np.iinfo(dtype)
    return bounds.min if op == "amax" else bounds.max


def _cast(e: Emitter, x: Value, source: np.dtype, target: np.dtype) -> Value:
    kind = llvm_type(target)
    if target.kind == "b":
        return x.compare("une" if x.type in FLOATS else "ne", 0)
    if x.type in FLOATS:
        if kind in FLOATS:
            widen = kind == "double" and x.type == "float"
            return e.convert("fpext" if widen else "fptrunc", x, kind)
        # frozen: out of range gives some value, not undefined behaviour
        wide = e.convert("fptosi", x, "i64" if target.itemsize == 8 else "i32")
        wide = e.op(f"freeze {wide.type} {wide.text}", wide.type)
        return wide if wide.type == kind else e.convert("trunc", wide, kind)
    unsigned = source.kind in "bu"
    if kind in FLOATS and x.type == "i1":
        return x.select(e.constant(1, kind), e.constant(0, kind))
    if kind in FLOATS:
        return e.convert("uitofp" if unsigned else "sitofp", x, kind)
    if kind == x.type:
        return x
    if target.itemsize < source.itemsize:
        return e.convert("trunc", x, kind)
    return e.convert("zext" if unsigned else "sext", x, kind)


def _arithmetic(float_op: str, int_op: str) -> Rule:
    def rule(e: Emitter, operands: list[Value], _: np.dtype) -> Value:
        x, y = operands
        if x.type in FLOATS:
            return x.contracted(float_op, y)
        return e.binary(int_op, x, y)

    return rule


def _comparison(float_name: str, signed: str, unsigned: str) -> Rule:
    def rule(_: Emitter, operands: list[Value], dtype: np.dtype) -> Value:
        x, y = operands
        if x.type in FLOATS:
            return x.compare(float_name, y)
        return x.compare(unsigned if dtype.kind in "bu" else signed, y)

    return rule


def _extremum(intrinsic: str, signed: str, unsigned: str) -> Rule:
    def rule(e: Emitter, operands: list[Value], dtype: np.dtype) -> Value:
        x, y = operands
        if x.type in FLOATS:
            return e.call(intrinsic, [x, y])
        return x.compare(unsigned if dtype.kind in "bu" else signed, y).select(x, y)

    return rule


def _where(e: Emitter, test: Value, yes: Value, no: Value) -> Value:
    # LLVM makes a branch of the maximum with a known infinity, and does not vectorise
    # the maximum of a masked row
    sides = [e.hidden(x) if x.text in INFINITIES else x for x in (yes, no)]
    return _truth(test).select(*sides)


def _function(function: Callable[..., Value]) -> Rule:
    return lambda e, operands, _: function(e, *operands)


def _rounding(intrinsic: str) -> Rule:
    def rule(e: Emitter, operands: list[Value], _: np.dtype) -> Value:
        (x,) = operands
        return e.call(intrinsic, [x]) if x.type in FLOATS else x

    return rule


def _abs(e: Emitter, operands: list[Value], dtype: np.dtype) -> Value:
    (x,) = operands
    if x.type in FLOATS:
        return vm.absolute(e, x)
    return x if dtype.kind in "bu" else x.compare("slt", 0).select(-x, x)


def _sign(_: Emitter, operands: list[Value], dtype: np.dtype) -> Value:
    (x,) = operands
    if x.type in FLOATS:
        signed = x.compare("olt", 0).select(-1, x.compare("oeq", 0).select(0, x))
        return x.compare("ogt", 0).select(1, signed)
    if dtype.kind == "u":
        return x.compare("ne", 0).select(1, x)
    return x.compare("sgt", 0).select(1, x.compare("slt", 0).select(-1, x))


def _isnan(e: Emitter, operands: list[Value], _: np.dtype) -> Value:
    (x,) = operands
    return x.compare("uno", x) if x.type in FLOATS else e.constant(False, "i1")


def _div_trunc(e: Emitter, operands: list[Value], dtype: np.dtype) -> Value:
    x, y = operands
    zero = y.compare("eq", 0)
    minus = y.compare("eq", -1) if dtype.kind == "i" else e.constant(False, "i1")
    safe = (zero | minus).select(1, y)  # the smallest integer / -1 would trap
    quotient = e.binary("sdiv" if dtype.kind == "i" else "udiv", x, safe)
    return zero.select(0, minus.select(-x, quotient))


def _truth(x: Value) -> Value:
    if x.type == "i1":
        return x
    return x.compare("une" if x.type in FLOATS else "ne", 0)


def _logical(op: str) -> Rule:
    return lambda e, operands, _: e.binary(op, *map(_truth, operands))


_RULES: dict[str, Rule] = {
    "add": _arithmetic("fadd", "add"),
    "sub": _arithmetic("fsub", "sub"),
    "mul": _arithmetic("fmul", "mul"),
    "div": lambda _, xs, __: xs[0] / xs[1],
    "div_trunc": _div_trunc,
    "pow": _function(vm.power),
    "maximum": _extremum("llvm.maximum", "sgt", "ugt"),
    "minimum": _extremum("llvm.minimum", "slt", "ult"),
    "neg": lambda _, xs, __: -xs[0],
    "abs": _abs,
    "sign": _sign,
    "reciprocal": lambda _, xs, __: 1.0 / xs[0],
    "floor": _rounding("llvm.floor"),
    "ceil": _rounding("llvm.ceil"),
    "trunc": _rounding("llvm.trunc"),
    "round": _rounding("llvm.roundeven"),
    "sqrt": _function(vm.sqrt),
    "rsqrt": _function(vm.rsqrt),
    "exp": _function(vm.exp),
    "expm1": _function(vm.expm1),
    "log": _function(vm.log),
    "log1p": _function(vm.log1p),
    "tanh": _function(vm.tanh),
    "sigmoid": _function(vm.sigmoid),
    "erf": _function(vm.erf),
    "sin": _function(vm.sin),
    "cos": _function(vm.cos),
    "eq": _comparison("oeq", "eq", "eq"),
    "ne": _comparison("une", "ne", "ne"),
    "lt": _comparison("olt", "slt", "ult"),
    "le": _comparison("ole", "sle", "ule"),
    "gt": _comparison("ogt", "sgt", "ugt"),
    "ge": _comparison("oge", "sge", "uge"),
    "logical_and": _logical("and"),
    "logical_or": _logical("or"),
    "logical_xor": _logical("xor"),
    "logical_not": lambda _, xs, __: _truth(xs[0]) ^ True,
    "isnan": _isnan,
    "copy": lambda _, xs, __: xs[0],
    "where": lambda e, xs, __: _where(e, *xs),
}
_FLOAT_ONLY = frozenset(
    [
        "div",
        "pow",
        "reciprocal",
        "sqrt",
        "rsqrt",
        "exp",
        "expm1",
        "log",
        "log1p",
        "tanh",
        "sigmoid",
        "erf",
        "sin",
        "cos",
    ]
)
