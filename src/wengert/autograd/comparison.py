"""What `gradcheck` checks: a function a question, which raises if the answer is no."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from ..inplace import overlaps
from ..tensor import Tensor, plain
from .analytical import (
    GradcheckError,
    Reverse,
    as_gradient,
    forward_jacobians,
    push,
    tangents,
)
from .backward import grad
from .diagnosis import describe
from .grad_mode import no_grad
from .numerical import Point, random_like, values_of

# --- before derivatives are compared --------------------------------------------------


def check_inputs(point: Point) -> None:
    """Refuse inputs that finite differences cannot be computed with."""
    if not point.wanted:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none "
            "of them have requires_grad=True."
        )
    for i in point.wanted:
        x = point.inputs[i]
        if x.dtype.numpy.char not in "dD":
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating "
                "point or complex. This check will likely fail if all the inputs are "
                "not of double precision floating point or complex. ",
                stacklevel=4,
            )
        if overlaps(x._data):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only "
                "supports inputs that are non-overlapping to be able to compute the "
                "numerical gradients correctly. You should call .contiguous on the "
                "input before passing it to gradcheck."
            )
        x.retain_grad()


def check_constant(point: Point) -> None:
    """Refuse a function whose outputs change though they have no derivatives."""
    before = floats_of(point)
    for index in point.wanted:
        data = point.inputs[index]._data
        for unit in point.steps(index):
            kept = data.copy()
            data += point.tolerance.eps * unit
            with no_grad():
                after = floats_of(point)
            data[...] = kept
            for old, new in zip(before, after, strict=True):
                if not np.array_equal(old, new, equal_nan=True):
                    raise GradcheckError(
                        "Numerical gradient for function expected to be zero. The "
                        "output changes with the input, but does not require grad: "
                        "somewhere the record is cut, by detach(), .data, numpy() or "
                        "no_grad()."
                    )


def floats_of(point: Point) -> list[ndarray]:
    """Return the values of the results that could have derivatives."""
    return [
        values_of(out)
        for out in point.results()
        if out.dtype.is_floating_point or out.dtype.is_complex
    ]


# --- reverse mode ---------------------------------------------------------------------


def parts(out: Tensor) -> tuple[complex, ...]:
    """Return the cotangents that give the parts of an output: 1, and i."""
    return (1j, 1) if out.dtype.is_complex else (1,)


def check_reverse(reverse: Reverse, outputs: list[Tensor]) -> None:
    """Check reverse mode, output by output."""
    point = reverse.point
    numerical = {i: point.jacobians(i) for i in point.wanted}
    for o, out in enumerate(outputs):
        for turn in parts(out):
            found = reverse.gradients(out, turn)
            for i, gradients in zip(point.wanted, found, strict=True):
                of_complex = point.inputs[i].dtype.is_complex
                expected = as_gradient(numerical[i][o], turn, of_complex)
                if not point.tolerance.agree(gradients, expected):
                    raise mismatch(point, expected, gradients, o, i, turn)


def check_reverse_fast(reverse: Reverse, outputs: list[Tensor]) -> None:
    """Check reverse mode by one product with random vectors for each input."""
    point = reverse.point
    for o, out in enumerate(outputs):
        for turn in parts(out):
            random = np.random.default_rng(0)
            weights = random.standard_normal(tuple(out.shape))
            start = (weights * turn).astype(out.dtype.numpy)
            pulled = reverse.pull(out, start)
            for i, gradient in zip(point.wanted, pulled, strict=True):
                direction = point.random_direction(i, random)
                analytical = (gradient.conj() * direction).sum().real
                moved = point.difference(i, direction)[o]
                part = moved.imag if turn == 1j else moved.real
                numerical = (part * weights).sum()
                if not point.tolerance.agree(analytical, numerical):
                    scalars = (numerical, analytical)
                    raise slow_mismatch(reverse, outputs, o, i, turn, scalars)


def slow_mismatch(
    reverse: Reverse,
    outputs: list[Tensor],
    output: int,
    index: int,
    turn: complex,
    scalars: tuple[Any, Any],
) -> GradcheckError:
    """Return the error with the whole matrices, where only products were compared."""
    point = reverse.point
    gradients = reverse.gradients(outputs[output], turn)[point.wanted.index(index)]
    of_complex = point.inputs[index].dtype.is_complex
    expected = as_gradient(point.jacobians(index)[output], turn, of_complex)
    return mismatch(point, expected, gradients, output, index, turn, scalars)


# --- forward mode ---------------------------------------------------------------------


def check_forward(point: Point) -> None:
    """Check forward mode, input by input."""
    for i in point.wanted:
        pairs = zip(forward_jacobians(point, i), point.jacobians(i), strict=True)
        for o, (found, expected) in enumerate(pairs):
            if not point.tolerance.agree(found, expected):
                raise mismatch(point, expected, found, o, i)


def check_forward_fast(point: Point) -> None:
    """Check forward mode in one random direction for each input."""
    random = np.random.default_rng(0)
    for i in point.wanted:
        direction = point.random_direction(i, random)
        pushed = push(point, i, direction.astype(point.inputs[i].dtype.numpy))
        pairs = zip(pushed, point.difference(i, direction), strict=True)
        for o, (found, expected) in enumerate(pairs):
            if not point.tolerance.agree(found, expected):
                expected, found = expected.reshape(1, -1), found.reshape(1, -1)
                raise mismatch(point, expected, found, o, i)


# --- batches --------------------------------------------------------------------------


def check_batched_reverse(point: Point) -> None:
    """Check that backward under vmap does what it does for each element."""
    wanted = [point.inputs[i] for i in point.wanted]
    for out in point.outputs():

        def pull(start: Tensor, out: Tensor = out) -> tuple[Tensor, ...]:
            return grad(out, wanted, start, retain_graph=True, materialize_grads=True)

        check_batched(point, pull, out, "batched gradient computation")


def check_batched_forward(point: Point) -> None:
    """Check that forward mode under vmap does what it does for each element."""
    for i in point.wanted:

        def pushed(tangent: Tensor, i: int = i) -> tuple[Tensor, ...]:
            return tuple(tangents(point, i, tangent))

        what = "forward-mode batched gradient computation"
        check_batched(point, pushed, point.inputs[i], what)


def check_batched(
    point: Point, call: Callable[..., Any], like: Tensor, what: str
) -> None:
    """Refuse a function that gives something else under vmap."""
    from ..func import vmap

    rows = [random_like(like, False).detach() for _ in range(2)]
    rows[1] = rows[1] * 2 + 1
    expected = [call(row) for row in rows]
    try:
        found = vmap(call)(plain(np.stack([row._data for row in rows])))
    except Exception as error:
        raise GradcheckError(
            f"gradcheck failed while testing {what}: vmap over it raised "
            f"{type(error).__name__}: {error}"
        ) from error
    for position, whole in enumerate(found):
        for row, values in zip(whole, expected, strict=True):
            if not point.tolerance.agree(values_of(row), values_of(values[position])):
                raise GradcheckError(
                    f"gradcheck failed while testing {what}: under vmap the result is "
                    f"{row}, without it {values[position]}"
                )


# --- absent gradients -----------------------------------------------------------------


def check_undefined(point: Point) -> None:
    """Check that gradients that are absent are taken for zeros."""
    count = len(point.outputs())
    for absent in [set(range(count))] + [{o} for o in range(count) if count > 1]:
        for gradient in gradients_without(point, absent):
            if gradient is not None and values_of(gradient).any():
                raise GradcheckError(
                    "Expected all input grads to be undefined or zero when all output "
                    "grads are undefined or zero. Look at what backward does with "
                    "gradients that are None."
                )


def gradients_without(point: Point, absent: set[int]) -> tuple[Tensor | None, ...]:
    """Return the inputs' gradients where some outputs have none, the others zeros."""
    outputs = point.outputs()
    cut = undefined_grad()
    ends = [cut(out) if o in absent else out for o, out in enumerate(outputs)]
    starts = [out.detach() * 0 + (o in absent) for o, out in enumerate(outputs)]
    wanted = [point.inputs[i] for i in point.wanted]
    try:
        return grad(ends, wanted, starts, allow_unused=True)
    except RuntimeError as error:
        raise GradcheckError(
            "Expected backward function to handle undefined output grads. It raised "
            f"{type(error).__name__}: {error}. In a custom Function, "
            "ctx.set_materialize_grads(False) makes absent gradients None; without it "
            "they are zeros."
        ) from error


def undefined_grad() -> Callable[[Tensor], Tensor]:
    """Return the identity whose gradient is absent."""
    from ..function import Function as CustomFunction

    class UndefinedGrad(CustomFunction):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004 (its signature)
            return x.clone()

        @staticmethod
        def backward(ctx: Any, grad: Any) -> None:  # noqa: ARG004 (its signature)
            return None

    apply: Callable[[Tensor], Tensor] = UndefinedGrad.apply
    return apply


# --- the error ------------------------------------------------------------------------


def mismatch(
    point: Point,
    numerical: ndarray,
    analytical: ndarray,
    output: int,
    index: int,
    turn: complex | None = None,
    scalars: tuple[Any, Any] | None = None,
) -> GradcheckError:
    """Return the error about derivatives that differ.

    Args:
        turn: in reverse mode, the cotangent of the part of the output.
        scalars: the products that differed, if only those were compared.
    """
    x = point.inputs[index]
    part = ""
    if turn is not None and point.outputs()[output].dtype.is_complex:
        part = "imaginary" if turn == 1j else "real"
    return GradcheckError(
        describe(
            numerical,
            analytical,
            output=output,
            input=index,
            shape=tuple(x.shape),
            complex_part=part,
            mode="forward" if turn is None else "reverse",
            tolerance=point.tolerance,
            precise=x.dtype.numpy.char in "dD",
            scalars=scalars,
        )
    )
