"""Jacobians and Hessians: all rows, or all columns, at once by vmap.

Note [Complex Jacobians]
    Of a complex output by a complex input this is the complex derivative of a
    holomorphic function, of a real output by a complex input PyTorch's gradient df/dx
    + i df/dy, of an output by a real input the partial derivative. Reverse mode
    computes with real inner products: it gives the conjugate in the first case; and
    for a complex output by a real input the real and the imaginary part need a
    cotangent each. In forward mode the second case needs two directions.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import tree
from ..recording import numpy_dtype
from ..tensor import Tensor, plain
from .arguments import Argnums, Function, replace, select
from .forward import jvp
from .mapping import vmap
from .reverse import vjp


def jacrev(
    func: Function,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Function:
    """Return the function that computes the Jacobian in reverse, all rows at once.

    Args:
        func: returns a tree of tensors; with `has_aux` a pair of it and anything else.
        argnums: which arguments to differentiate by.
        chunk_size: how many rows at a time, to bound memory.

    The Jacobian of an output of shape ``(m,)`` by an input of shape ``(n,)`` has shape
    ``(m, n)``. Complex functions are welcome: of a holomorphic one it is the complex
    derivative.

    >>> import wengert as torch
    >>> torch.func.jacrev(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = select(args, argnums)

        def of_chosen(given: Any) -> Any:
            return func(*replace(args, argnums, given), **kwargs)

        value, pull_cotangents, *aux = vjp(of_chosen, chosen, has_aux=has_aux)
        outputs, output_structure = tree.flatten(value)
        inputs, structure = tree.flatten(chosen)

        def rows(*cotangents: Any) -> Any:
            return tree.leaves(
                pull_cotangents(tree.unflatten(cotangents, output_structure))
            )

        # one row needs no batch
        single = len(outputs) == 1 and outputs[0].numel() == 1
        pull = rows if single else vmap(rows, chunk_size=chunk_size)
        basis = ones_of(outputs) if single else basis_of(outputs)
        columns = pull(*basis)
        imaginary = None
        if any_complex(outputs) and not all_complex(inputs):
            imaginary = pull(*[b * 1j if is_complex(b) else b * 0 for b in basis])
        parts = split_columns(columns, outputs)
        others = split_columns(imaginary, outputs) if imaginary else parts
        blocks = [
            tree.unflatten(
                [
                    reverse_block(out, x, part, other)
                    for x, part, other in zip(inputs, row, others_row, strict=True)
                ],
                structure,
            )
            for out, row, others_row in zip(outputs, parts, others, strict=True)
        ]
        result = tree.unflatten(blocks, output_structure)
        return (result, aux[0]) if has_aux else result

    return jacobian


def reverse_block(out: Tensor, x: Tensor, part: Tensor, imaginary: Tensor) -> Tensor:
    """Return an output's Jacobian by an input of what was pulled back."""
    if is_complex(out):
        part = part.conj() if is_complex(x) else part + imaginary * 1j
    return shaped(part, (*out.shape, *x.shape))


def shaped(block: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return a block in its shape, which mostly it has."""
    return block if block.shape == shape else block.reshape(shape)


def jacfwd(
    func: Function,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
    chunk_size: int | None = None,
) -> Function:
    """Return the function that computes the Jacobian forward, all columns at once.

    Args:
        func: returns a tree of tensors; with `has_aux` a pair of it and anything else.
        argnums: which arguments to differentiate by.
        chunk_size: how many columns at a time, to bound memory.
        randomness: as of `vmap`.

    The shapes are those of `jacrev`. It takes less where there are more outputs than
    inputs.

    >>> import wengert as torch
    >>> torch.func.jacfwd(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = select(args, argnums)
        inputs, structure = tree.flatten(chosen)
        structures: list[Any] = []

        def push(*directions: Any) -> Any:
            found = jvp(
                lambda given: func(*replace(args, argnums, given), **kwargs),
                (chosen,),
                (tree.unflatten(directions, structure),),
                has_aux=has_aux,
            )
            slopes, output_structure = tree.flatten(found[1])
            aux, aux_structure = tree.flatten(found[2] if has_aux else ())
            structures[:] = [output_structure, aux_structure]
            return tuple(slopes), tuple(aux)

        mapped = vmap(push, randomness=randomness, chunk_size=chunk_size)
        basis = basis_of(inputs)
        slopes, aux = mapped(*basis)
        imaginary = slopes
        if any_complex(inputs) and not all_complex(slopes):
            turned = [b * 1j if is_complex(b) else b * 0 for b in basis]
            imaginary = mapped(*turned)[0]
        blocks = [
            tree.unflatten(
                [
                    forward_block(slope, x, part[0], other[0])
                    for x, part, other in zip(
                        inputs,
                        split_columns([slope], inputs),
                        split_columns([turned_slope], inputs),
                        strict=True,
                    )
                ],
                structure,
            )
            for slope, turned_slope in zip(slopes, imaginary, strict=True)
        ]
        result = tree.unflatten(blocks, structures[0])
        if not has_aux:
            return result
        return result, tree.unflatten([a[0] for a in aux], structures[1])

    return jacobian


def forward_block(slope: Tensor, x: Tensor, part: Tensor, imaginary: Tensor) -> Tensor:
    """Return an output's Jacobian by an input of its tangents in all directions."""
    if is_complex(x) and not is_complex(slope):
        part = part + imaginary * 1j
    return shaped(part.movedim(0, -1), (*slope.shape[1:], *x.shape))


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """Return the function that computes the Hessian: forward over reverse.

    Args:
        func: returns a scalar tensor.
        argnums: which arguments to differentiate by.

    For an input of shape ``(n,)`` it has shape ``(n, n)``.

    >>> import wengert as torch
    >>> torch.func.hessian(lambda x: (x ** 3).sum())(torch.ones(2))
    tensor([[6., 0.],
            [0., 6.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


# --- unit vectors ---------------------------------------------------------------------


def is_complex(tensor: Tensor) -> bool:
    """Whether a tensor is complex."""
    return tensor.dtype.is_complex


def any_complex(tensors: Sequence[Tensor]) -> bool:
    """Whether any of the tensors is complex."""
    return any([is_complex(tensor) for tensor in tensors])


def all_complex(tensors: Sequence[Tensor]) -> bool:
    """Whether all of the tensors are complex."""
    return all([is_complex(tensor) for tensor in tensors])


def sizes_of(tensors: Sequence[Tensor]) -> list[int]:
    """Return the numbers of elements."""
    return [int(np.prod(tuple(tensor.shape))) for tensor in tensors]


def ones_of(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return ones like the tensors, which are constants on all levels."""
    return [plain(np.ones(tuple(x.shape), numpy_dtype(x))) for x in tensors]


def basis_of(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return for each tensor its part of all unit vectors of all tensors' elements.

    The first dimension numbers the unit vectors, the others are those of the tensor.
    """
    sizes = sizes_of(tensors)
    total = sum(sizes)
    if len(tensors) == 1:
        unit = np.eye(total, dtype=numpy_dtype(tensors[0]))
        return [plain(unit.reshape(total, *tensors[0].shape))]
    basis, start = [], 0
    for tensor, size in zip(tensors, sizes, strict=True):
        part = np.zeros((total, size), numpy_dtype(tensor))
        part[start : start + size] = np.eye(size, dtype=part.dtype)
        basis.append(plain(part.reshape(total, *tensor.shape)))
        start += size
    return basis


def split_columns(columns: Sequence[Any], tensors: Sequence[Tensor]) -> list[list[Any]]:
    """Take apart what was computed for all unit vectors, by their tensors."""
    if len(tensors) == 1:
        return [list(columns)]
    pieces, start = [], 0
    for size in sizes_of(tensors):
        pieces.append([column[start : start + size] for column in columns])
        start += size
    return pieces
