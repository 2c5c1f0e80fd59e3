"""`grad`, `vjp`, `jvp`, `vmap` and what is made of them.

Each runs the function on tensors of a new level: reverse mode on leaves that require
grad, whose arrays are the tensors given; forward mode on tensors whose arrays are duals;
vmap on tensors whose arrays hide a dimension. What comes out is lowered again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .. import tree
from ..layers.batched import Batched
from ..layers.dual import Dual, primal_of, pull, tangent_of
from ..layers.level import Level, belongs, leaf_on_level, lowered, on_level
from ..primitives.copying import zeros_like
from ..tensor import Tensor, history
from .jacobians import basis_of, split_columns

Function = Callable[..., Any]
Argnums = int | tuple[int, ...]


# --- reverse mode ---------------------------------------------------------------------


def grad(func: Function, argnums: Argnums = 0, has_aux: bool = False) -> Function:
    """Return the function that computes the gradient of a scalar function.

    Args:
        func: returns a scalar tensor; with `has_aux` a pair of it and anything else.
        argnums: which arguments to differentiate by: trees of tensors.
        has_aux: return the gradient and the function's second result.

    >>> import wengert as torch
    >>> torch.func.grad(torch.sin)(torch.tensor(0.0))
    tensor(1.)
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, result = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (found, result[1]) if has_aux else found

    return gradient


def grad_and_value(
    func: Function, argnums: Argnums = 0, has_aux: bool = False
) -> Function:
    """Return the function that computes the gradient and the value; see `grad`.

    With `has_aux` it returns ``gradient, (value, aux)``.
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        chosen = select(args, argnums)
        with Level(grad=True) as level:
            leaves, structure = tree.flatten(chosen)
            inputs = [leaf_on_level(level, check_tensor("grad", x)) for x in leaves]
            replaced = replace(args, argnums, tree.unflatten(inputs, structure))
            result = func(*replaced, **kwargs)
            output, aux = split_aux("grad", result, has_aux)
            check_scalar(output)
            seed = ones_like_lowered(output, level)
            grads = pull_back([output], [seed], inputs, level)
            value = lowered(output, level)
            aux = tree.map(lambda x: lowered(x, level), aux)
        found = tree.unflatten(grads, structure)
        return found, ((value, aux) if has_aux else value)

    return gradient


def vjp(func: Function, *primals: Any, has_aux: bool = False) -> Any:
    """Return the function's value, and the function that pulls cotangents back.

    >>> import wengert as torch
    >>> value, pull_back = torch.func.vjp(torch.sin, torch.zeros(2))
    >>> pull_back(torch.ones(2))
    (tensor([1., 1.]),)
    """
    with Level(grad=True) as level:
        leaves, structure = tree.flatten(primals)
        inputs = [leaf_on_level(level, check_tensor("vjp", x)) for x in leaves]
        result = func(*tree.unflatten(inputs, structure))
        output, aux = split_aux("vjp", result, has_aux)
        aux = tree.map(lambda x: lowered(x, level), aux)
    outputs, output_structure = tree.flatten(output)
    for out in outputs:
        check_tensor("vjp", out)
    value = tree.unflatten([lowered(out, level) for out in outputs], output_structure)

    def pull_cotangents(*cotangents: Any, **ignored: Any) -> Any:
        given = cotangents[0] if len(cotangents) == 1 else cotangents
        flat, found = tree.flatten(given)
        if found != output_structure:
            raise RuntimeError(
                f"Expected pytree structure of cotangents to be the same as pytree "
                f"structure of outputs to the function. cotangents: {found}, primal "
                f"output: {output_structure}"
            )
        for cotangent, out in zip(flat, outputs, strict=True):
            if cotangent.shape != out.shape:
                raise RuntimeError(
                    f"Expected cotangent of shape {tuple(out.shape)}, got "
                    f"{tuple(cotangent.shape)}"
                )
        grads = pull_back(outputs, flat, inputs, level)
        return tree.unflatten(grads, structure)

    return (value, pull_cotangents, aux) if has_aux else (value, pull_cotangents)


def pull_back(
    outputs: Sequence[Tensor], seeds: Sequence[Any], inputs: Sequence[Tensor], level: int
) -> list[Any]:
    """Return the cotangents of a level's leaves for cotangents of its results."""
    starts: dict[Any, Any] = {}
    for out, seed in zip(outputs, seeds, strict=True):
        node = history(out) if belongs(out, level) else None
        if node is not None:
            starts[node] = starts[node] + seed if node in starts else seed
    captured: dict[Any, Any] = {leaf._node: None for leaf in inputs}
    pull(starts, captured)
    return [
        zeros_like(leaf._data) if captured[leaf._node] is None else captured[leaf._node]
        for leaf in inputs
    ]


# --- forward mode ---------------------------------------------------------------------


def jvp(
    func: Function,
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """Return the function's value, and its derivative in the direction of the tangents.

    >>> import wengert as torch
    >>> torch.func.jvp(torch.sin, (torch.zeros(1),), (torch.ones(1),))
    (tensor([0.]), tensor([1.]))
    """
    if not isinstance(primals, tuple):
        raise RuntimeError("jvp: Expected primals to be a tuple.")
    leaves, structure = tree.flatten(primals)
    directions, found = tree.flatten(tangents)
    if found != structure:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same "
            f"python structure. got {structure} and {found}"
        )
    with Level() as level:
        duals = [
            on_level(level, Dual(check_tensor("jvp", x), check_tensor("jvp", t), level))
            for x, t in zip(leaves, directions, strict=True)
        ]
        result = func(*tree.unflatten(duals, structure))
        output, aux = split_aux("jvp", result, has_aux)
        outputs, output_structure = tree.flatten(output)
        values = [primal_of(check_tensor("jvp", out), level) for out in outputs]
        slopes = [tangent_of(out, level) for out in outputs]
        if strict and any(slope is None for slope in slopes):
            raise RuntimeError(
                "jvp(f, primals, tangents, strict=True): The output of f is independent "
                "of the inputs. This is not allowed with strict=True."
            )
        aux = tree.map(lambda x: primal_of(x, level), aux)
    filled = [
        zeros_like(value) if slope is None else slope
        for value, slope in zip(values, slopes, strict=True)
    ]
    value = tree.unflatten(values, output_structure)
    slope = tree.unflatten(filled, output_structure)
    return (value, slope, aux) if has_aux else (value, slope)


# --- vmap -----------------------------------------------------------------------------


def vmap(
    func: Function,
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Function:
    """Return the function that maps `func` over a dimension of its arguments, in one go.

    Args:
        in_dims: the dimension of each argument to map over, None for none: an integer,
            or a tree like the arguments.
        out_dims: where the dimension is put in the results.
        randomness: whether random ops are an "error", "different" or the "same" for the
            elements.
        chunk_size: how many elements at a time, to bound memory.

    >>> import wengert as torch
    >>> torch.func.vmap(torch.dot)(torch.ones(3, 2), torch.ones(3, 2))
    tensor([2., 2., 2.])
    """

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, structure = tree.flatten(args)
        dims = spread(in_dims, args, structure)
        size = batch_size(leaves, dims)
        with Level() as level:
            inputs = [batch(x, dim, level) for x, dim in zip(leaves, dims, strict=True)]
            result = func(*tree.unflatten(inputs, structure), **kwargs)
        outputs, output_structure = tree.flatten(result)
        places = spread(out_dims, result, output_structure)
        return tree.unflatten(
            [
                unbatch(check_tensor("vmap", out), place, level, size)
                for out, place in zip(outputs, places, strict=True)
            ],
            output_structure,
        )

    return mapped


def batch(value: Any, dim: int | None, level: int) -> Any:
    """Return a tensor that hides the dimension to map over."""
    if dim is None:
        return value
    return on_level(level, Batched(value.movedim(dim, 0) if dim else value, level))


def unbatch(out: Tensor, dim: int, level: int, size: int) -> Tensor:
    """Return a result with the dimension that was mapped over."""
    if belongs(out, level):
        value = out._data.value
    else:
        value = out.unsqueeze(0).expand(size, *out.shape)
    return value if dim == 0 else value.movedim(0, dim)


def spread(dims: Any, values: Any, structure: tree.Structure) -> list[Any]:
    """Return a dimension for each leaf of a tree from one that may be a prefix of it."""
    if dims is None or isinstance(dims, int):
        return [dims] * structure.count
    if structure.kind is None:
        raise ValueError(f"in_dims {dims} do not fit a single argument")
    parts = list(dims.values()) if isinstance(dims, dict) else list(dims)
    if len(parts) != len(structure.children):
        raise ValueError(
            f"vmap: in_dims is not compatible with the structure of inputs: in_dims has "
            f"{len(parts)} entries for {len(structure.children)} values"
        )
    return [
        dim
        for part, child in zip(parts, structure.children, strict=True)
        for dim in spread(part, None, child)
    ]


def batch_size(leaves: Sequence[Any], dims: Sequence[Any]) -> int:
    """Return the size of the dimensions to map over, or say how they differ."""
    sizes = []
    for leaf, dim in zip(leaves, dims, strict=True):
        if dim is None:
            continue
        if not isinstance(leaf, Tensor):
            raise ValueError(
                f"vmap: Got in_dim={dim} for an input but the input is of type "
                f"{type(leaf)}. We cannot vmap over non-Tensor arguments, please use None "
                "as the respective in_dim"
            )
        if not -leaf.ndim <= dim < leaf.ndim:
            raise ValueError(
                f"vmap: Got in_dim={dim} for some input, but that input is a Tensor of "
                f"dimensionality {leaf.ndim} so expected in_dim to satisfy "
                f"-{leaf.ndim} <= in_dim < {leaf.ndim}."
            )
        sizes.append(leaf.shape[dim])
    if not sizes:
        raise ValueError("vmap: at least one input must be mapped over")
    if len(set(sizes)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, "
            f"got sizes {sizes} for the mapped dimension"
        )
    return int(sizes[0])


# --- Jacobians ------------------------------------------------------------------------


def jacrev(
    func: Function,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Function:
    """Return the function that computes the Jacobian in reverse mode, row by row at once.

    >>> import wengert as torch
    >>> torch.func.jacrev(torch.sin)(torch.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = select(args, argnums)

        def of_chosen(*inputs: Any) -> Any:
            return func(*replace(args, argnums, inputs[0]), **kwargs)

        found = vjp(of_chosen, chosen, has_aux=has_aux)
        value, pull_cotangents = found[:2]
        outputs, output_structure = tree.flatten(value)
        inputs, structure = tree.flatten(chosen)
        basis = basis_of(outputs)

        def rows(*cotangents: Any) -> Any:
            return tree.leaves(
                pull_cotangents(tree.unflatten(cotangents, output_structure))
            )

        columns = vmap(rows)(*basis)
        blocks = [
            tree.unflatten(
                [
                    part.reshape(*out.shape, *x.shape)
                    for part, x in zip(row, inputs, strict=True)
                ],
                structure,
            )
            for row, out in zip(split_columns(columns, outputs), outputs, strict=True)
        ]
        result = tree.unflatten(blocks, output_structure)
        return (result, found[2]) if has_aux else result

    return jacobian


def jacfwd(
    func: Function,
    argnums: Argnums = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Function:
    """Return the function that computes the Jacobian in forward mode, all columns at once.

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

        slopes, aux = vmap(push)(*basis_of(inputs))
        blocks = []
        for slope in slopes:
            parts = split_columns([slope], inputs)
            blocks.append(
                tree.unflatten(
                    [
                        part[0].movedim(0, -1).reshape(*slope.shape[1:], *x.shape)
                        for part, x in zip(parts, inputs, strict=True)
                    ],
                    structure,
                )
            )
        result = tree.unflatten(blocks, structures[0])
        if not has_aux:
            return result
        return result, tree.unflatten([a[0] for a in aux], structures[1])

    return jacobian


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """Return the function that computes the Hessian: forward over reverse.

    >>> import wengert as torch
    >>> torch.func.hessian(lambda x: (x ** 3).sum())(torch.ones(2))
    tensor([[6., 0.],
            [0., 6.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


# --- arguments and results ------------------------------------------------------------


def select(args: tuple[Any, ...], argnums: Argnums) -> Any:
    """Return the arguments to differentiate by: one, or a tuple."""
    if isinstance(argnums, int):
        check_argnum(argnums, len(args))
        return args[argnums]
    for argnum in argnums:
        check_argnum(argnum, len(args))
    return tuple([args[argnum] for argnum in argnums])


def check_argnum(argnum: int, count: int) -> None:
    if not -count <= argnum < count:
        raise RuntimeError(
            f"Got argnum={argnum}, but only {count} positional inputs"
        )


def replace(args: tuple[Any, ...], argnums: Argnums, values: Any) -> list[Any]:
    """Return the arguments with those to differentiate by replaced."""
    replaced = list(args)
    if isinstance(argnums, int):
        replaced[argnums] = values
    else:
        for argnum, value in zip(argnums, values, strict=True):
            replaced[argnum] = value
    return replaced


def check_tensor(name: str, value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise RuntimeError(
            f"{name}: Expected all inputs and outputs to be tensors, got "
            f"{type(value).__name__}"
        )
    return value


def check_scalar(output: Any) -> None:
    if not isinstance(output, Tensor):
        raise RuntimeError(
            "Expected the function given to grad to return a Tensor, got "
            f"{type(output).__name__}"
        )
    if output.ndim != 0:
        raise RuntimeError(
            "Expected the function given to grad to return a scalar tensor, got tensor "
            f"with {output.ndim} dims. Maybe you wanted to use the vjp or jacrev APIs "
            "instead?"
        )


def split_aux(name: str, result: Any, has_aux: bool) -> tuple[Any, Any]:
    """Return the output and the auxiliary result of a function."""
    if not has_aux:
        return result, None
    if not (isinstance(result, tuple) and len(result) == 2):
        raise RuntimeError(
            f"{name}: output of function f should be a tuple: (output, aux) if has_aux is "
            "True"
        )
    return result


def ones_like_lowered(output: Tensor, level: int) -> Any:
    """Return the one that the gradient of a scalar begins with."""
    from ..primitives.copying import ones_like

    return ones_like(lowered(output, level))
