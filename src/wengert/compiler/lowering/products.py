"""Products of matrices."""

from __future__ import annotations

from typing import Any

from ..symbol import Symbol, Untraceable
from .rules import RULES, rule


def product(a: Symbol, b: Symbol) -> Symbol:
    """Return the matrix product of matrices, vectors and stacks of matrices."""
    if a.dtype != b.dtype or a.dtype.kind != "f":
        raise Untraceable(f"a product of {a.dtype} and {b.dtype}")
    left = a.reshape((1, a.size)) if a.ndim == 1 else a
    right = b.reshape((b.size, 1)) if b.ndim == 1 else b
    result = Symbol(a.graph, a.graph.matmul(left.node, right.node))
    shape = list(result.shape)
    if b.ndim == 1:
        del shape[-1]
    if a.ndim == 1:
        del shape[-1 if b.ndim == 1 else -2]
    return result.reshape(shape)


for _name in ("mm", "mv", "vm", "dot", "vdot", "bmm"):
    RULES[_name] = product


@rule("matmul")
def _matmul(a: Symbol, b: Symbol) -> Symbol:
    if b.ndim == 2 and a.ndim > 2:
        rows = a.reshape((-1, a.shape[-1])) if a.size else a
        return product(rows, b).reshape((*a.shape[:-1], b.shape[1]))
    return product(a, b)


@rule("linear", "linear_with_bias", "linear_of_stack", "linear_of_stack_with_bias")
def _linear(x: Symbol, weight: Symbol, bias: Symbol | None = None) -> Symbol:
    result = _matmul(x, weight.T)
    return result if bias is None else result + bias


@rule("linear_input_grad")
def _linear_input_grad(grad: Symbol, weight: Symbol) -> Symbol:
    return _matmul(grad, weight)


@rule("linear_weight_grad")
def _linear_weight_grad(grad: Symbol, x: Symbol) -> Symbol:
    columns = grad.reshape((-1, grad.shape[-1])).T if grad.size else grad.T
    return product(columns, x.reshape((-1, x.shape[-1])) if x.size else x)


@rule("addmm", "addmv", "baddbmm")
def _added(x: Symbol, a: Symbol, b: Symbol, *, beta: Any, alpha: Any) -> Symbol:
    result = product(a, b)
    if alpha != 1:
        result = result * alpha
    if beta == 0:
        return result
    return result + (x if beta == 1 else x * beta)
