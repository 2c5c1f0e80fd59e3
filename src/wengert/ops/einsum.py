"""Einstein's summation: products of tensors whose dimensions are named by letters.

The equation and the shapes are turned into a plan once, which is kept: for each pair of
operands, from left to right, how they are arranged for one (stacked) product of
matrices. Carrying out a plan is calling ops, so derivatives need no rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from string import ascii_letters
from typing import Any

from ..primitives import matmul as M, reduction as R, shape as S
from ..tensor import Tensor
from .public import op

Labels = tuple[str, ...]
Shape = tuple[int, ...]
ELLIPSIS = "..."


@op(method=False)
def einsum(*args: Any) -> Tensor:
    """Return sums of products of tensors' elements, by an equation such as "ij,jk->ik".

    Args:
        args: the equation and the tensors, or each tensor with a list that numbers its
            dimensions, and last a list for the result's. In the equation each tensor's
            dimensions are named by letters, ``...`` standing for any number of them.
            Letters that are not in the result are summed over. Without ``->`` the
            result has the letters that occur once, in alphabetical order.

    Raises:
        RuntimeError: the equation is not one, or does not fit the shapes.

    >>> import wengert as torch
    >>> torch.einsum("ij,j->i", torch.tensor([[1, 2], [3, 4]]), torch.tensor([1, 1]))
    tensor([3, 7])
    """
    equation, operands = arguments(args)
    plan = planned(equation, tuple([tuple(tensor.shape) for tensor in operands]))
    tensors = [
        prepared(tensor, steps)
        for tensor, steps in zip(operands, plan.preparations, strict=True)
    ]
    result = tensors[0]
    for tensor, pairing in zip(tensors[1:], plan.pairings, strict=True):
        result = contracted(result, tensor, pairing)
    return prepared(result, plan.finish)


# --- reading the arguments ------------------------------------------------------------


def arguments(args: tuple[Any, ...]) -> tuple[str, Sequence[Tensor]]:
    """Return the equation and the operands, however they were given."""
    if not args or (len(args) == 1 and isinstance(args[0], str)):
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or "
            "at least one operand and its subscripts list"
        )
    if isinstance(args[0], str):
        operands: Any = args[1:]
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = operands[0]
        return args[0].replace(" ", ""), operands
    equation = ",".join([letters(labels) for labels in args[1::2]])
    if len(args) % 2:
        head = ",".join([letters(labels) for labels in args[1:-1:2]])
        equation = f"{head}->{letters(args[-1])}"
    return equation, args[: len(args) - len(args) % 2 : 2]


def letters(labels: Sequence[Any]) -> str:
    """Return numbered dimensions as letters: A to Z, then a to z."""
    named = []
    for label in labels:
        if label is Ellipsis:
            named.append(ELLIPSIS)
        elif 0 <= label < 52:
            named.append(ascii_letters[(label + 26) % 52])
        else:
            raise ValueError(
                f"einsum(): subscript {label} is not within the valid range [0, 52)"
            )
    return "".join(named)


def subscripts(term: str, ndim: int, operand: int) -> Labels:
    """Return a name for each dimension of an operand; those of ``...`` are numbers."""
    before, dots, after = term.partition(ELLIPSIS)
    check_letters(before + after, term)
    named = len(before) + len(after)
    if named > ndim or (named < ndim and not dots):
        note = "" if dots else " and no ellipsis was given"
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({named}) does not "
            f"match the number of dimensions ({ndim}) for operand {operand}{note}"
        )
    # Counted from the last, so that ellipses of different lengths are broadcast.
    rest = [str(i) for i in range(ndim - named, 0, -1)]
    return (*before, *rest, *after)


def check_letters(names: str, text: str) -> None:
    """Refuse names that are no letters."""
    for letter in names:
        if letter not in ascii_letters:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {text.index(letter)} in "
                "the equation string, subscripts must be in [a-zA-Z]"
            )


def output_labels(equation: str, terms: list[Labels]) -> Labels:
    """Return the names of the result's dimensions."""
    every = [label for labels in terms for label in labels]
    dots = sorted({label for label in every if label.isdigit()}, key=int, reverse=True)
    _, arrow, right = equation.partition("->")
    if not arrow:
        return (
            *dots,
            *sorted({x for x in every if x.isalpha() and every.count(x) == 1}),
        )
    before, ellipsis, after = right.partition(ELLIPSIS)
    check_letters(before + after, equation)
    for letter in before + after:
        if letter not in every:
            raise RuntimeError(
                f"einsum(): output subscript {letter} does not appear in the equation "
                "for any input operand"
            )
        if (before + after).count(letter) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {letter} appears more than once in the "
                "output"
            )
    return (*before, *(dots if ellipsis else ()), *after)


# --- planning -------------------------------------------------------------------------


@dataclass(frozen=True)
class Steps:
    """What is done to one tensor: diagonals, sums, another order of dimensions."""

    diagonals: tuple[tuple[int, int], ...] = ()
    sums: Shape = ()
    dims: Shape | None = None


@dataclass(frozen=True)
class Pairing:
    """How two tensors are multiplied, as stacks of matrices."""

    left: Steps
    left_shape: Shape
    right: Steps
    right_shape: Shape
    shape: Shape


@dataclass(frozen=True)
class Plan:
    """What einsum does for an equation and shapes."""

    preparations: tuple[Steps, ...]
    pairings: tuple[Pairing, ...]
    finish: Steps


@lru_cache(maxsize=512)
def planned(equation: str, shapes: tuple[Shape, ...]) -> Plan:
    """Return the plan for an equation and the operands' shapes."""
    written = equation.partition("->")[0].split(",")
    if len(written) != len(shapes):
        amount = "fewer" if len(shapes) < len(written) else "more"
        raise RuntimeError(
            f"einsum(): {amount} operands were provided than specified in the equation"
        )
    terms = [
        subscripts(term, len(shape), i)
        for i, (term, shape) in enumerate(zip(written, shapes, strict=True))
    ]
    output = output_labels(equation, terms)
    check_sizes(terms, shapes)
    preparations: list[Steps] = []
    remaining: list[tuple[Labels, list[int]]] = []
    for labels, shape in zip(terms, shapes, strict=True):
        steps, labels = without_repeats(labels)
        present = dict(zip(terms[len(remaining)], shape, strict=True))
        preparations.append(steps)
        remaining.append((labels, [present[label] for label in labels]))
    pairings = []
    labels, found = remaining[0]
    for i, (others, other_sizes) in enumerate(remaining[1:], 1):
        later = {x for pending, _ in remaining[i + 1 :] for x in pending}
        pairing, labels, found = paired(
            labels, found, others, other_sizes, later.union(output)
        )
        pairings.append(pairing)
    sums = tuple([i for i, label in enumerate(labels) if label not in output])
    kept = [label for label in labels if label in output]
    order = tuple([kept.index(label) for label in output])
    return Plan(tuple(preparations), tuple(pairings), Steps((), sums, order))


def check_sizes(terms: list[Labels], shapes: tuple[Shape, ...]) -> None:
    """Refuse sizes that differ under one name; those of 1 are broadcast."""
    sizes: dict[str, int] = {}
    for operand, (labels, shape) in enumerate(zip(terms, shapes, strict=True)):
        own: dict[str, int] = {}
        for label, size in zip(labels, shape, strict=True):
            if own.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {operand} "
                    f"but the sizes don't match, {size} != {own[label]}"
                )
            known = sizes.get(label, 1)
            if size not in (1, known) and known != 1:
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {size} for operand {operand}"
                    f" which does not broadcast with previously seen size {known}"
                )
            sizes[label] = size if known == 1 else known


def without_repeats(labels: Labels) -> tuple[Steps, Labels]:
    """Return the diagonals to take until each name occurs once, and the names then."""
    diagonals = []
    left = list(labels)
    for label in dict.fromkeys(labels):
        while left.count(label) > 1:
            first = left.index(label)
            second = left.index(label, first + 1)
            diagonals.append((first, second))
            # the diagonal becomes the last dimension
            del left[second], left[first]
            left.append(label)
    return Steps(tuple(diagonals)), tuple(left)


def paired(
    a: Labels, a_sizes: list[int], b: Labels, b_sizes: list[int], wanted: set[str]
) -> tuple[Pairing, Labels, list[int]]:
    """Plan the product of two tensors, summed over the names not wanted later.

    A name is in the stack if both have it and it is wanted, and summed by the product
    if both have it and it is not. A size of 1 that the other broadcasts is as good as
    absent; it is summed away, as is a name that one has alone and nobody wants.
    """
    left, right = dict(zip(a, a_sizes, strict=True)), dict(zip(b, b_sizes, strict=True))
    shared = [x for x in a if x in right and left[x] == right[x]]
    stack = [x for x in shared if x in wanted]
    summed = [x for x in shared if x not in wanted]
    rows = [x for x in a if x not in shared and stays(x, left, right, wanted)]
    columns = [x for x in b if x not in shared and stays(x, right, left, wanted)]
    sizes = {**right, **left, **{x: right[x] for x in columns}}
    n, k = prod([sizes[x] for x in rows]), prod([sizes[x] for x in summed])
    m = prod([sizes[x] for x in columns])
    depth = (prod([sizes[x] for x in stack]),) if stack else ()
    names = (*stack, *rows, *columns)
    found = [sizes[x] for x in names]
    pairing = Pairing(
        arranged(a, [*stack, *rows, *summed]),
        (*depth, n, k),
        arranged(b, [*stack, *summed, *columns]),
        (*depth, k, m),
        tuple(found),
    )
    return pairing, names, found


def stays(
    label: str, own: dict[str, int], other: dict[str, int], wanted: set[str]
) -> bool:
    """Whether a name that a pair does not share is in their product."""
    if label not in other:
        return label in wanted
    # One of the two sizes is 1; the larger counts.
    return own[label] != 1 and label in wanted


def arranged(labels: Labels, wanted: Sequence[str]) -> Steps:
    """Return how to bring dimensions into an order, those not wanted summed over."""
    sums = tuple([i for i, label in enumerate(labels) if label not in wanted])
    kept = [label for label in labels if label in wanted]
    return Steps((), sums, tuple([kept.index(label) for label in wanted]))


# --- carrying it out ------------------------------------------------------------------


def prepared(tensor: Tensor, steps: Steps) -> Tensor:
    """Return a tensor after the steps planned for it."""
    for first, second in steps.diagonals:
        tensor = tensor.diagonal(dim1=first, dim2=second)
    if steps.sums:
        tensor = R.sum_dim(tensor, dim=steps.sums, keepdim=False)
    dims = steps.dims
    if dims is not None and dims != tuple(range(len(dims))):
        tensor = S.permute(tensor, dims=dims)
    return tensor


def contracted(left: Tensor, right: Tensor, pairing: Pairing) -> Tensor:
    """Return the product of two tensors, as planned."""
    left = shaped(prepared(left, pairing.left), pairing.left_shape)
    right = shaped(prepared(right, pairing.right), pairing.right_shape)
    if pairing.left_shape[-1] == 1:
        product = left * right
    else:
        product = (M.mm if len(pairing.left_shape) == 2 else M.bmm)(left, right)
    return shaped(product, pairing.shape)


def shaped(tensor: Tensor, shape: Shape) -> Tensor:
    return tensor if tuple(tensor.shape) == shape else S.reshape(tensor, shape=shape)
