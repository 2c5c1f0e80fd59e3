"""Derivatives of functions in the ordinary record: `torch.autograd.functional`.

Unlike `torch.func` these call backward on copies of the inputs, so that the functions
may do anything that a recorded computation may.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import errors
from ..func import jacfwd, vmap
from ..primitives.copying import ones_like, zeros_like
from ..tensor import Tensor, is_differentiable
from .backward import grad as backward_grad
from .grad_mode import enable_grad

__all__ = [
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "vhp",
    "vjp",
]

Function = Callable[..., Any]
Tensors = Tensor | tuple[Tensor, ...]
Parts = tuple[Tensor, ...]


def vjp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Return a function's value, and the product of a vector and its Jacobian.

    Args:
        func: takes tensors, returns one or a tuple of them.
        inputs: where to differentiate.
        v: the vector, like the output; it may be left out if that is one number.
        create_graph: let both results be differentiated further.
        strict: refuse outputs that do not depend on inputs, instead of zeros.

    >>> import wengert as torch
    >>> torch.autograd.functional.vjp(torch.exp, torch.zeros(2), torch.ones(2))
    (tensor([1., 1.]), tensor([1., 1.]))
    """
    with enable_grad():
        given = prepared(inputs, "vjp", create_graph)
        result, outputs = called(func, given, "vjp", strict)
        single = "the user-provided function returns a single Tensor"
        vector = vector_like(outputs, v, "vjp", single, isinstance(result, tuple))
        found = pulled(outputs, given, vector, create_graph)
        filled = filled_in(found, given, strict, create_graph)
    return finished(result, create_graph), shaped(filled, inputs, create_graph)


def jvp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Return a function's value, and the product of its Jacobian and a vector.

    The vector is like the inputs; the other arguments are those of `vjp`. The product
    comes from reverse mode, twice.

    >>> import wengert as torch
    >>> torch.autograd.functional.jvp(torch.exp, torch.zeros(2), torch.ones(2))
    (tensor([1., 1.]), tensor([1., 1.]))
    """
    with enable_grad():
        given = prepared(inputs, "jvp", create_graph)
        vector = vector_like(given, v, "jvp", SINGLE_INPUT, isinstance(inputs, tuple))
        result, outputs = called(func, given, "jvp", strict)
        if not all(is_differentiable(out.dtype) for out in outputs):
            raise errors.integers_require_no_grad()
        u = tuple([zeros(out).requires_grad_() for out in outputs])
        cotangents = pulled(outputs, given, u, True)
        rows = filled_in(cotangents, given, strict, create_graph)
        found = pulled(rows, u, vector, create_graph)
        filled = filled_in(found, u, strict and create_graph, create_graph)
        single = isinstance(result, Tensor)
    return finished(result, create_graph), shaped(
        filled, u[0] if single else u, create_graph
    )


def jacobian(
    func: Function,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the Jacobian of a function.

    Args:
        func, inputs, create_graph, strict: as for `vjp`.
        vectorize: compute all rows (or columns) at once by vmap.
        strategy: "reverse-mode", or "forward-mode", which needs `vectorize`.

    A tensor for one output and one input; tuples of them for several: the outputs
    outside, the inputs inside.

    >>> import wengert as torch
    >>> torch.autograd.functional.jacobian(lambda x: x * x, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If '
            'your function has more outputs than inputs, "forward-mode" tends to be '
            'more performant. Otherwise, prefer to use "reverse-mode".'
        )
    name = "torch.autograd.functional.jacobian"
    if strategy == "forward-mode":
        if create_graph:
            raise NotImplementedError(
                f'{name}: `create_graph=True` and `strategy="forward-mode"` are not '
                "supported together (yet). Please either set `create_graph=False` or "
                '`strategy="reverse-mode"`.'
            )
        return by_forward_mode(func, inputs, strict, vectorize)
    if strict and vectorize:
        raise RuntimeError(
            f"{name}: `strict=True` and `vectorized=True` are not supported together. "
            "Please either set `strict=False` or `vectorize=False`."
        )
    with enable_grad():
        given = prepared(inputs, "jacobian", create_graph)
        result, outputs = called(func, given, "jacobian", strict)
        rows = rows_at_once if vectorize else rows_in_turn
        blocks = [rows(out, given, strict, create_graph) for out in outputs]
    nested = tuple([shaped(block, inputs, create_graph) for block in blocks])
    return nested[0] if isinstance(result, Tensor) else nested


def rows_in_turn(
    out: Tensor, inputs: Parts, strict: bool, create_graph: bool
) -> tuple[Tensor, ...]:
    """Return an output's Jacobian by each input, by a backward for each element."""
    from ..ops.public import namespace

    if out.dtype.is_complex:
        raise RuntimeError(
            "grad can be implicitly created only for real scalar outputs but got "
            f"{out.dtype}"
        )
    rows = [
        filled_in(
            pulled((element,), inputs, None, create_graph, keep=True),
            inputs,
            strict,
            create_graph,
        )
        for element in out.reshape(-1)
    ]
    if not rows:
        return tuple([x.new_zeros((*out.shape, *x.shape)) for x in inputs])
    stack = namespace["stack"]
    return tuple(
        [
            stack(list(column)).reshape((*out.shape, *x.shape))
            for column, x in zip(zip(*rows, strict=True), inputs, strict=True)
        ]
    )


def rows_at_once(
    out: Tensor, inputs: Parts, strict: bool, create_graph: bool
) -> tuple[Tensor, ...]:
    """Return an output's Jacobian by each input, by one backward on a batch."""
    from ..ops.public import namespace

    count = out.numel()
    basis = namespace["eye"](count, dtype=out.dtype).reshape((count, *out.shape))
    found: Any = (None,) * len(inputs)
    if out.requires_grad and count:
        found = vmap(
            lambda start: backward_grad(
                (out,),
                inputs,
                (start,),
                retain_graph=True,
                create_graph=create_graph,
                materialize_grads=True,
            )
        )(basis)
    return tuple(
        [
            (x.new_zeros((*out.shape, *x.shape)))
            if rows is None
            else rows.reshape((*out.shape, *x.shape))
            for rows, x in zip(found, inputs, strict=True)
        ]
    )


def by_forward_mode(
    func: Function, inputs: Tensors, strict: bool, vectorize: bool
) -> Any:
    """Return the Jacobian by forward mode, all columns at once."""
    if strict:
        raise RuntimeError(
            "torch.autograd.functional.jacobian: `strict=True` and "
            '`strategy="forward-mode"` are not supported together (yet). Please either '
            'set `strict=False` or `strategy="reverse-mode"`.'
        )
    if not vectorize:
        raise NotImplementedError(
            "Computing Jacobian using forward-AD or forward-over-reverse Hessian is "
            "only implemented for `vectorize=True`."
        )
    given = as_parts(inputs, "inputs", "jacobian")

    def checked(*parts: Tensor) -> Any:
        result = func(*parts)
        as_parts(result, "outputs", "None")
        return result

    result = jacfwd(checked, tuple(range(len(given))))(*given)
    if isinstance(inputs, tuple):
        return result
    if isinstance(result[0], tuple):
        return tuple([row[0] for row in result])
    return result[0]


def hessian(
    func: Function,
    inputs: Tensors,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the Hessian of a function of one number: the Jacobian of its gradient.

    Args:
        outer_jacobian_strategy: the strategy of the outer `jacobian`, whose the other
            arguments are.

    >>> import wengert as torch
    >>> torch.autograd.functional.hessian(lambda x: (x ** 3).sum(), torch.ones(2))
    tensor([[6., 0.],
            [0., 6.]])
    """
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode".'
        )
    parts = as_parts(inputs, "inputs", "hessian")
    forward = outer_jacobian_strategy == "forward-mode"

    def scalar(*given: Tensor) -> Tensor:
        return one_number(func(*given), "hessian", strict).squeeze()

    def gradient(*given: Tensor) -> Any:
        if forward:
            given = tuple([x.clone() for x in given])
            from ..func import grad as functional_grad

            return functional_grad(scalar, tuple(range(len(given))))(*given)
        given = prepared(given, "hessian", True)
        found = pulled((scalar(*given),), given, None, True)
        filled = filled_in(found, given, strict, False)
        if strict:
            check_varies(filled, given, True)
        return filled

    found = jacobian(
        gradient,
        parts,
        create_graph=create_graph,
        strict=strict,
        vectorize=vectorize,
        strategy=outer_jacobian_strategy,
    )
    return found if isinstance(inputs, tuple) else found[0][0]


def vhp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Return a function's value, and the product of a vector and its Hessian.

    The arguments are those of `vjp`; the function returns one number.

    >>> import wengert as torch
    >>> cubes = lambda x: (x ** 3).sum()
    >>> torch.autograd.functional.vhp(cubes, torch.ones(2), torch.ones(2))
    (tensor(2.), tensor([6., 6.]))
    """
    return by_hessian(func, inputs, v, create_graph, strict, "vhp")


def by_hessian(
    func: Function, inputs: Tensors, v: Any, create_graph: bool, strict: bool, name: str
) -> tuple[Any, Any]:
    """Do as `vhp` for a function of this name."""
    with enable_grad():
        given = prepared(inputs, name, create_graph)
        vector = vector_like(given, v, name, SINGLE_INPUT, isinstance(inputs, tuple))
        result = one_number(func(*given), name, strict)
        first = pulled((result,), given, None, True)
        gradient = filled_in(first, given, strict, False)
        if strict:
            check_varies(gradient, given, True)
        found = pulled(gradient, given, vector, create_graph)
        filled = filled_in(found, given, strict, create_graph)
    return finished(result, create_graph), shaped(filled, inputs, create_graph)


def hvp(
    func: Function,
    inputs: Tensors,
    v: Tensors | None = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Return a function's value, and the product of its Hessian and a vector.

    As a Hessian is symmetric this is `vhp`, which costs less than PyTorch's way of
    three passes; what it returns is the same.

    >>> import wengert as torch
    >>> cubes = lambda x: (x ** 3).sum()
    >>> torch.autograd.functional.hvp(cubes, torch.ones(2), torch.ones(2))
    (tensor(2.), tensor([6., 6.]))
    """
    return by_hessian(func, inputs, v, create_graph, strict, "hvp")


# --- inputs, outputs, vectors ---------------------------------------------------------


def as_parts(tensors: Any, what: str, name: str) -> Parts:
    """Return one tensor, or a tuple of them, as a tuple, or refuse them."""
    parts = tensors if isinstance(tensors, tuple) else (tensors,)
    given = "given inputs" if what == "inputs" else f"given {what}"
    for index, part in enumerate(parts):
        if not isinstance(part, Tensor):
            where = (
                f"the value at index {index} has type {type(part)}"
                if isinstance(tensors, tuple)
                else f"the {given} has type {type(tensors)}"
            )
            raise TypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of "
                f"Tensors but {where}."
            )
    return parts


def prepared(inputs: Any, name: str, create_graph: bool) -> Parts:
    """Return copies of the inputs that require grad.

    With `create_graph` those that require grad stay connected to what they came from.
    """
    parts = as_parts(inputs, "inputs", name)
    return tuple(
        [
            x.view(x.shape)
            if create_graph and x.requires_grad
            else x.detach().requires_grad_()
            for x in parts
        ]
    )


def called(func: Function, inputs: Parts, name: str, strict: bool) -> tuple[Any, Parts]:
    """Return a function's result, and the tensors it consists of, checked."""
    result = outputs_checked(func(*inputs), name)
    outputs = result if isinstance(result, tuple) else (result,)
    check_depends(outputs, strict)
    return result, outputs


def outputs_checked(result: Any, name: str) -> Any:
    """Refuse a result that is neither a tensor nor a tuple of them."""
    as_parts(result, "outputs of the user-provided function", name)
    return result


def check_depends(outputs: Sequence[Tensor], strict: bool) -> None:
    """Refuse outputs that are not computed from the inputs, if `strict`."""
    for index, out in enumerate(outputs):
        if strict and not out.requires_grad:
            raise RuntimeError(
                f"Output {index} of the user-provided function does not require "
                "gradients. The outputs must be computed in a differentiable manner "
                "from the input when running in strict mode."
            )


def check_varies(gradients: Sequence[Tensor], inputs: Parts, strict: bool) -> None:
    """Refuse gradients that do not depend on the inputs, if `strict`."""
    for index, found in enumerate(gradients):
        if strict and not found.requires_grad:
            raise RuntimeError(
                "While computing the hessian, found that the jacobian of the "
                f"user-provided function with respect to input {index} is independent "
                "of the input. This is not allowed in strict mode. You should ensure "
                "that your function is twice differentiable and that the jacobian "
                "depends on the inputs (this would be violated by a linear function "
                "for example)."
            )


def one_number(result: Any, name: str, strict: bool) -> Tensor:
    """Refuse a result that is not one number, or with `strict` is a constant."""
    outputs_checked(result, name)
    check_depends(result if isinstance(result, tuple) else (result,), strict)
    if isinstance(result, tuple):
        raise RuntimeError(
            f"The function given to {name} should return a single Tensor"
        )
    if result.numel() != 1:
        raise RuntimeError(
            f"The Tensor returned by the function given to {name} should contain a "
            "single element"
        )
    number: Tensor = result
    return number


SINGLE_INPUT = "the input to the user-provided function is a single Tensor"


def vector_like(
    tensors: Parts, v: Any, name: str, single: str, several: bool
) -> Parts | None:
    """Return the vector as a tuple, or refuse one that is not like the tensors.

    Args:
        name: of the function that it is given to.
        single: what must be so for it to be left out.
        several: whether the tensors are a tuple for the user.
    """
    if v is None:
        if len(tensors) != 1 or tensors[0].numel() != 1:
            raise RuntimeError(
                f"The vector v can only be None if {single} with a single element."
            )
        if tensors[0].dtype.is_complex:
            raise errors.needs_real_output(tensors[0].dtype)
        return tuple([ones_like(x.detach()) for x in tensors])
    parts = as_parts(v, "v", name)
    if len(parts) != len(tensors):
        if not several:
            raise RuntimeError("The given v should contain a single Tensor.")
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(tensors)} but got "
            f"{len(parts)}."
        )
    for index, (part, tensor) in enumerate(zip(parts, tensors, strict=True)):
        if part.shape != tensor.shape:
            where = f"Entry {index} in " if several else ""
            raise RuntimeError(
                f"{where}v has invalid size: should be {tensor.shape} but got "
                f"{part.shape}."
            )
    return parts


# --- derivatives ----------------------------------------------------------------------


def pulled(
    outputs: Sequence[Tensor],
    inputs: Parts,
    vector: Sequence[Tensor] | None,
    create_graph: bool,
    *,
    keep: bool | None = None,
) -> Sequence[Tensor | None]:
    """Return gradients of the outputs that require grad; None for unused inputs."""
    starts: Any = vector if vector is not None else (None,) * len(outputs)
    pairs = [
        (out, start)
        for out, start in zip(outputs, starts, strict=True)
        if out.requires_grad
    ]
    if not pairs:
        return (None,) * len(inputs)
    ends, begun = zip(*pairs, strict=True)
    return backward_grad(
        ends,
        inputs,
        begun,
        retain_graph=keep or create_graph,
        create_graph=create_graph,
        allow_unused=True,
    )


def filled_in(
    grads: Sequence[Tensor | None], inputs: Parts, strict: bool, create_graph: bool
) -> tuple[Tensor, ...]:
    """Return the gradients with zeros where there is none, or refuse that."""
    filled = []
    for index, (found, x) in enumerate(zip(grads, inputs, strict=True)):
        if found is None:
            if strict:
                raise RuntimeError(
                    "The output of the user-provided function is independent of input "
                    f"{index}. This is not allowed in strict mode."
                )
            found = zeros(x)
        if strict and create_graph and not found.requires_grad:
            raise RuntimeError(
                "The jacobian of the user-provided function is independent of input "
                f"{index}. This is not allowed in strict mode when create_graph=True."
            )
        filled.append(found)
    return tuple(filled)


def zeros(like: Tensor) -> Tensor:
    """Return a tensor of zeros."""
    return zeros_like(like.detach())


def finished(result: Any, create_graph: bool) -> Any:
    """Return a result, without history unless that is wanted."""
    if create_graph:
        return result
    if isinstance(result, tuple):
        return tuple([out.detach() for out in result])
    return result.detach()


def shaped(parts: Sequence[Tensor], like: Any, create_graph: bool) -> Any:
    """Return one tensor or a tuple of them, as the caller has given."""
    done = finished(tuple(parts), create_graph)
    return done if isinstance(like, tuple) else done[0]
