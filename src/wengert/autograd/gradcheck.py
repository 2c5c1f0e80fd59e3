"""Checking derivatives against finite differences: `gradcheck` and `gradgradcheck`.

For each input and output there is a matrix of partial derivatives, a row for each
element of the input and a column for each of the output. Finite differences give it
numerically; reverse mode gives its columns, forward mode its rows. What is complex
counts as two real numbers: cotangents 1 and i give the gradients of an output's real
and imaginary part, and the gradient by a complex number is df/dx + i df/dy.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from ..tensor import Tensor, plain
from .backward import grad
from .diagnosis import describe
from .grad_mode import no_grad

Function = Callable[..., Any]
Tensors = Tensor | Sequence[Tensor]


class GradcheckError(RuntimeError):
    """What was computed differs from finite differences, or cannot be trusted."""


class Tolerance(NamedTuple):
    """How close derivatives must be, and the step of finite differences."""

    eps: float
    atol: float
    rtol: float

    def agree(self, a: Any, b: Any) -> bool:
        """Whether derivatives are the same, as far as one can tell."""
        return bool(np.allclose(a, b, rtol=self.rtol, atol=self.atol, equal_nan=True))


def gradcheck(
    func: Function,
    inputs: Tensors,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Return whether a function's derivatives are those that finite differences give.

    Args:
        func: takes tensors and returns one or several.
        inputs: where to check: best in double precision. Those that require grad are
            differentiated by.
        eps: the step of finite differences.
        atol, rtol: how much may differ: ``atol + rtol * abs(numerical)``.
        raise_exception: raise an error that tells the difference; else return False.
        nondet_tol: how much two runs of the same backward may differ.
        check_undefined_grad: see whether absent gradients are taken for zeros.
        check_grad_dtypes: gradients must have the dtypes of their inputs.
        check_batched_grad: check backward under vmap.
        check_batched_forward_grad: check forward mode under vmap.
        check_forward_ad: check forward mode.
        check_backward_ad: check reverse mode.
        fast_mode: compare a product with random vectors instead of all elements.
        masked: there are no sparse tensors here, so that it makes no difference.

    Raises:
        GradcheckError: something differs; it names the worst element.

    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.exp, (x,))
    True
    """
    assert check_forward_ad or check_backward_ad, (
        "Expected at least one of check_forward_ad or check_backward_ad to be True"
    )
    assert not (check_batched_grad and not check_backward_ad), (
        "Setting check_batched_grad=True requires check_backward_ad to be True"
    )
    assert not (check_batched_forward_grad and not check_forward_ad), (
        "Setting check_batched_forward_grad=True requires check_forward_ad to be True"
    )
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    check = Check(func, given, Tolerance(eps, atol, rtol), fast_mode)
    try:
        check.inputs_are_fit()
        outputs = check.outputs()
        if not outputs:
            check.nothing_changes()
            return True
        if check_forward_ad:
            check.forward(outputs)
            if check_batched_forward_grad:
                check.batched_forward()
        if check_backward_ad:
            check.backward(outputs, nondet_tol, check_grad_dtypes)
            if check_batched_grad:
                check.batched_backward()
            if check_undefined_grad:
                check.undefined()
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Function,
    inputs: Tensors,
    grad_outputs: Tensors | None = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Return whether derivatives of a function's gradients are right: see `gradcheck`.

    Args:
        grad_outputs: what the gradients begin with; random by default.
        gen_non_contig_grad_outputs: let the random ones not be contiguous.
        check_fwd_over_rev: differentiate the gradients by forward mode.
        check_rev_over_rev: differentiate them by reverse mode.

    >>> import wengert as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(torch.exp, (x,))
    True
    """
    assert check_fwd_over_rev or check_rev_over_rev, (
        "Expected at least one of check_fwd_over_rev or check_rev_over_rev to be True"
    )
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    if grad_outputs is None:
        outputs = Check(func, given, Tolerance(eps, atol, rtol), fast_mode).outputs()
        starts = [random_like(out, gen_non_contig_grad_outputs) for out in outputs]
    elif isinstance(grad_outputs, Tensor):
        starts = [grad_outputs]
    else:
        starts = list(grad_outputs)
    count = len(given)

    def gradients(*args: Any) -> tuple[Tensor, ...]:
        values, begun = args[:count], args[count:]
        outputs = differentiable(func(*values))
        wanted = [x for x in values if isinstance(x, Tensor) and x.requires_grad]
        found = grad(outputs, wanted, begun, create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])

    return gradcheck(
        gradients,
        (*given, *starts),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        fast_mode=fast_mode,
        check_forward_ad=check_fwd_over_rev,
        check_backward_ad=check_rev_over_rev,
        masked=masked,
    )


def random_like(out: Tensor, strided: bool) -> Tensor:
    """Return random numbers like an output, which require grad."""
    random = np.random.default_rng(0)
    shape = (*out.shape, 2) if strided else tuple(out.shape)
    values = random.standard_normal(shape)
    if out.dtype.is_complex:
        values = values + 1j * random.standard_normal(shape)
    whole = plain(np.asarray(values, out.dtype.numpy))
    return (whole[..., 0] if strided else whole).detach().requires_grad_()


def differentiable(result: Any) -> list[Tensor]:
    """Return those of a function's results that have derivatives."""
    results = result if isinstance(result, tuple | list) else (result,)
    return [out for out in results if isinstance(out, Tensor) and out.requires_grad]


def values_of(tensor: Tensor) -> ndarray:
    """Return the values of a tensor."""
    return np.array(tensor.detach().numpy())


class Check:
    """A function at a point, whose derivatives are checked."""

    def __init__(
        self,
        func: Function,
        inputs: tuple[Any, ...],
        tolerance: Tolerance,
        fast: bool,
    ) -> None:
        self.func = func
        self.inputs = inputs
        self.tolerance = tolerance
        self.fast = fast
        self.wanted = [
            i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad
        ]

    def inputs_are_fit(self) -> None:
        """Refuse inputs that finite differences cannot be computed with."""
        if not self.wanted:
            raise ValueError(
                "gradcheck expects at least one input tensor to require gradient, but "
                "none of them have requires_grad=True."
            )
        for i in self.wanted:
            x = self.inputs[i]
            if x.dtype.numpy.char not in "dD":
                warnings.warn(
                    f"Input #{i} requires gradient and is not a double precision "
                    "floating point or complex. This check will likely fail if all the "
                    "inputs "
                    "are not of double precision floating point or complex. ",
                    stacklevel=4,
                )
            if any(s == 0 and n > 1 for s, n in zip(x.stride(), x.shape, strict=True)):
                raise RuntimeError(
                    f"The {i}th input has a dimension with stride 0. gradcheck only "
                    "supports inputs that are non-overlapping to be able to compute "
                    "the numerical gradients correctly. You should call .contiguous on "
                    "the input before passing it to gradcheck."
                )
            x.retain_grad()

    def outputs(self) -> list[Tensor]:
        """Return those of the function's results that have derivatives."""
        return differentiable(self.func(*self.inputs))

    def values(self) -> list[ndarray]:
        """Return the values of the results with derivatives, at the present inputs."""
        return [values_of(out) for out in differentiable(self.func(*self.inputs))]

    # --- finite differences -----------------------------------------------------------

    def steps(self, index: int) -> Iterator[tuple[int, complex]]:
        """Return each element of an input, with the directions it can go."""
        x = self.inputs[index]
        for position in range(x.numel()):
            yield position, 1
        if x.dtype.is_complex:
            for position in range(x.numel()):
                yield position, 1j

    def difference(self, index: int, direction: ndarray) -> list[ndarray]:
        """Return how the outputs change, per unit, when an input moves."""
        data = self.inputs[index]._data
        before = data.copy()
        eps = self.tolerance.eps
        try:
            data[...] = before + (eps * direction).astype(before.dtype)
            ahead = self.values()
            data[...] = before - (eps * direction).astype(before.dtype)
            behind = self.values()
        finally:
            data[...] = before
        return [(a - b) / (2 * eps) for a, b in zip(ahead, behind, strict=True)]

    def numerical(self, index: int) -> list[ndarray]:
        """Return for each output the change with each step of an input: rows."""
        rows = [
            self.difference(index, self.unit(index, position, direction))
            for position, direction in self.steps(index)
        ]
        return [
            np.array([out.reshape(-1) for out in column])
            for column in zip(*rows, strict=True)
        ]

    def unit(self, index: int, position: int, direction: complex) -> ndarray:
        """Return the array with which one element moves."""
        x = self.inputs[index]
        unit = np.zeros(x.numel(), x.dtype.numpy)
        unit[position] = direction
        return unit.reshape(tuple(x.shape))

    def nothing_changes(self) -> None:
        """Refuse a function whose outputs change though they have no derivatives."""
        results = self.func(*self.inputs)
        results = results if isinstance(results, tuple | list) else (results,)
        floats = [
            out.dtype.is_floating_point or out.dtype.is_complex for out in results
        ]
        before_moving = [values_of(out) for out in results]
        for index in self.wanted:
            data = self.inputs[index]._data
            for position, direction in self.steps(index):
                before = data.copy()
                data += self.tolerance.eps * self.unit(index, position, direction)
                with no_grad():
                    moved = self.func(*self.inputs)
                moved = moved if isinstance(moved, tuple | list) else (moved,)
                found = [values_of(out) for out in moved]
                data[...] = before
                for old, new, is_float in zip(
                    before_moving, found, floats, strict=True
                ):
                    if is_float and not np.array_equal(old, new, equal_nan=True):
                        raise GradcheckError(
                            "Numerical gradient for function expected to be zero. The "
                            "output changes with the input, but does not require grad: "
                            "somewhere the record is cut, by detach(), .data, numpy() "
                            "or no_grad()."
                        )

    # --- reverse mode -----------------------------------------------------------------

    def backward(
        self, outputs: list[Tensor], nondet_tol: float, check_dtypes: bool
    ) -> None:
        """Check reverse mode, output by output."""
        numerical = {} if self.fast else {i: self.numerical(i) for i in self.wanted}
        for o, out in enumerate(outputs):
            for turn in (1j, 1) if out.dtype.is_complex else (1,):
                if self.fast:
                    self.backward_fast(o, out, turn, nondet_tol, check_dtypes)
                    continue
                found = self.columns(out, turn, nondet_tol, check_dtypes)
                for i, matrix in zip(self.wanted, found, strict=True):
                    expected = self.as_gradient(i, numerical[i][o], turn)
                    if not self.tolerance.agree(matrix, expected):
                        self.mismatch(expected, matrix, o, i, turn, "reverse")

    def as_gradient(self, index: int, rows: ndarray, turn: complex) -> ndarray:
        """Return the gradients of an output's part from its change with each step."""
        part = rows.imag if turn == 1j else rows.real
        if not self.inputs[index].dtype.is_complex:
            return part
        half = len(part) // 2
        result: ndarray = part[:half] + 1j * part[half:]
        return result

    def columns(
        self, out: Tensor, turn: complex, nondet_tol: float, check_dtypes: bool
    ) -> list[ndarray]:
        """Return for each input the gradients of all elements of an output's part."""
        shape, count = tuple(out.shape), out.numel()
        found: list[list[ndarray]] = [[] for _ in self.wanted]
        for position in range(count):
            start = np.zeros(count, out.dtype.numpy)
            start[position] = turn
            grads = self.pulled(out, start.reshape(shape), nondet_tol, check_dtypes)
            for column, gradient in zip(found, grads, strict=True):
                column.append(gradient.reshape(-1))
        return [
            np.array(column).reshape(count, self.inputs[i].numel()).T
            for i, column in zip(self.wanted, found, strict=True)
        ]

    def pulled(
        self, out: Tensor, start: ndarray, nondet_tol: float, check_dtypes: bool
    ) -> list[ndarray]:
        """Return the gradients of the inputs, after computing them twice."""
        wanted = [self.inputs[i] for i in self.wanted]
        twice = []
        for _ in range(2):
            found = grad(
                out, wanted, plain(start), retain_graph=True, allow_unused=True
            )
            for x, g in zip(wanted, found, strict=True):
                if g is not None and g.shape != x.shape:
                    raise GradcheckError("Analytical gradient has incorrect size")
                if check_dtypes and g is not None and g.dtype is not x.dtype:
                    raise GradcheckError(
                        "Gradient has dtype mismatch: it is "
                        f"{g.dtype}, that of the input {x.dtype}"
                    )
            twice.append(
                [
                    np.zeros(tuple(x.shape), x.dtype.numpy)
                    if g is None
                    else values_of(g)
                    for x, g in zip(wanted, found, strict=True)
                ]
            )
        for a, b in zip(*twice, strict=True):
            if a.size and np.abs(a - b).max() > nondet_tol:
                raise GradcheckError(
                    "Backward is not reentrant, i.e., running backward with same input "
                    "and grad_output multiple times gives different values, although "
                    "analytical gradient matches numerical gradient. The tolerance for "
                    f"nondeterminism was {nondet_tol}."
                )
        return twice[0]

    def backward_fast(
        self, o: int, out: Tensor, turn: complex, nondet_tol: float, check_dtypes: bool
    ) -> None:
        """Check reverse mode by one product with random vectors for each input."""
        random = np.random.default_rng(0)
        weights = random.standard_normal(tuple(out.shape))
        start = (weights * turn).astype(out.dtype.numpy)
        grads = self.pulled(out, start, nondet_tol, check_dtypes)
        for i, gradient in zip(self.wanted, grads, strict=True):
            direction = self.random_direction(i, random)
            analytical = (gradient.conj() * direction).sum().real
            moved = self.difference(i, direction)[o]
            part = moved.imag if turn == 1j else moved.real
            numerical = (part * weights).sum()
            if not self.agree_fast(analytical, numerical):
                matrix = self.columns(out, turn, nondet_tol, check_dtypes)
                expected = self.as_gradient(i, self.numerical(i)[o], turn)
                found = matrix[self.wanted.index(i)]
                scalars = (numerical, analytical)
                self.mismatch(expected, found, o, i, turn, "reverse", scalars)

    def random_direction(self, index: int, random: np.random.Generator) -> ndarray:
        """Return a random vector of length 1, like an input."""
        x = self.inputs[index]
        vector = random.standard_normal(tuple(x.shape))
        if x.dtype.is_complex:
            vector = vector + 1j * random.standard_normal(tuple(x.shape))
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-300))

    def agree_fast(self, analytical: Any, numerical: Any) -> bool:
        """Whether products are the same, as far as one can tell."""
        return self.tolerance.agree(analytical, numerical)

    # --- forward mode -----------------------------------------------------------------

    def forward(self, outputs: list[Tensor]) -> None:
        """Check forward mode, input by input."""
        random = np.random.default_rng(0)
        for i in self.wanted:
            if self.fast:
                direction = self.random_direction(i, random)
                found = self.pushed(i, plain(direction.astype(self.kind(i))))
                expected = self.difference(i, direction)
                for o, (a, b) in enumerate(zip(found, expected, strict=True)):
                    if not self.tolerance.agree(a, b):
                        a, b = a.reshape(1, -1), b.reshape(1, -1)
                        self.mismatch(b, a, o, i, 1, "forward")
                continue
            rows = [
                self.pushed(i, plain(self.unit(i, position, direction)))
                for position, direction in self.steps(i)
            ]
            matrices = [
                np.array([out.reshape(-1) for out in column])
                for column in zip(*rows, strict=True)
            ]
            for o, (a, b) in enumerate(zip(matrices, self.numerical(i), strict=True)):
                if not self.tolerance.agree(a, b):
                    self.mismatch(b, a, o, i, 1, "forward")

    def kind(self, index: int) -> Any:
        """Return the NumPy dtype of an input."""
        return self.inputs[index].dtype.numpy

    def pushed(self, index: int, tangent: Tensor) -> list[ndarray]:
        """Return the tangents of the outputs when one input has a tangent."""
        return [values_of(t) for t in self.tangents(index, tangent)]

    def tangents(self, index: int, tangent: Tensor) -> list[Tensor]:
        """Return the tangents of the outputs, zeros where there is none."""
        from .forward_ad import dual_level, make_dual, unpack_dual

        with dual_level():
            inputs = list(self.inputs)
            inputs[index] = make_dual(inputs[index], tangent)
            unpacked = [unpack_dual(out) for out in differentiable(self.func(*inputs))]
            return [
                dual.primal.detach() * 0 if dual.tangent is None else dual.tangent
                for dual in unpacked
            ]

    # --- batches ----------------------------------------------------------------------

    def batched_backward(self) -> None:
        """Check that backward under vmap does what it does for each element."""
        from ..func import vmap

        wanted = [self.inputs[i] for i in self.wanted]
        for out in self.outputs():

            def pull(start: Tensor, out: Tensor = out) -> tuple[Tensor, ...]:
                return grad(
                    out, wanted, start, retain_graph=True, materialize_grads=True
                )

            self.same_in_batch(pull, out, vmap, "batched gradient computation")

    def batched_forward(self) -> None:
        """Check that forward mode under vmap does what it does for each element."""
        from ..func import vmap

        for i in self.wanted:

            def push(tangent: Tensor, i: int = i) -> tuple[Tensor, ...]:
                return tuple(self.tangents(i, tangent))

            self.same_in_batch(
                push, self.inputs[i], vmap, "forward-mode batched gradient computation"
            )

    def same_in_batch(self, call: Any, like: Tensor, vmap: Any, what: str) -> None:
        """Refuse a function that gives something else under vmap."""
        rows = [random_like(like, False).detach() for _ in range(2)]
        rows[1] = rows[1] * 2 + 1
        expected = [call(row) for row in rows]
        batch = plain(np.stack([row._data for row in rows]))
        try:
            found = vmap(call)(batch)
        except Exception as error:
            raise GradcheckError(
                f"gradcheck failed while testing {what}: vmap over it raised "
                f"{type(error).__name__}: {error}"
            ) from error
        for position, whole in enumerate(found):
            for row, values in zip(whole, expected, strict=True):
                if not self.tolerance.agree(
                    values_of(row), values_of(values[position])
                ):
                    raise GradcheckError(
                        f"gradcheck failed while testing {what}: under vmap the result "
                        f"is {row}, without it {values[position]}"
                    )

    # --- absent gradients -------------------------------------------------------------

    def undefined(self) -> None:
        """Check that gradients that are absent are taken for zeros."""
        wanted = [self.inputs[i] for i in self.wanted]
        count = len(self.outputs())
        for absent in [set(range(count))] + [{o} for o in range(count) if count > 1]:
            outputs = self.outputs()
            ends = [
                undefined_grad()(out) if o in absent else out
                for o, out in enumerate(outputs)
            ]
            starts = [
                out.detach() * 0 + (1 if o in absent else 0)
                for o, out in enumerate(outputs)
            ]
            try:
                found = grad(ends, wanted, starts, allow_unused=True)
            except RuntimeError as error:
                raise GradcheckError(
                    "Expected backward function to handle undefined output grads. It "
                    f"raised {type(error).__name__}: {error}. In a custom Function, "
                    "ctx.set_materialize_grads(False) makes absent gradients None; "
                    "without it they are zeros."
                ) from error
            for gradient in found:
                if gradient is not None and values_of(gradient).any():
                    raise GradcheckError(
                        "Expected all input grads to be undefined or zero when all "
                        "output grads are undefined or zero. Look at what backward "
                        "does "
                        "with gradients that are None."
                    )

    # --- the error --------------------------------------------------------------------

    def mismatch(
        self,
        numerical: ndarray,
        analytical: ndarray,
        output: int,
        index: int,
        turn: complex,
        mode: str,
        scalars: tuple[Any, Any] | None = None,
    ) -> None:
        """Raise the error about derivatives that differ."""
        x = self.inputs[index]
        raise GradcheckError(
            describe(
                numerical,
                analytical,
                output=output,
                input=index,
                shape=tuple(x.shape),
                complex_part=self.part_name(output, turn, mode),
                mode=mode,
                tolerance=self.tolerance,
                precise=x.dtype.numpy.char in "dD",
                scalars=scalars,
            )
        )

    def part_name(self, output: int, turn: complex, mode: str) -> str:
        """Return which part of a complex output is considered, if it is one."""
        if mode == "forward" or not self.outputs()[output].dtype.is_complex:
            return ""
        return "imaginary" if turn == 1j else "real"


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


class _Callable(ModuleType):
    """The module itself: ``torch.autograd.gradcheck`` names the function, too."""

    def __call__(self, *args: Any, **kwargs: Any) -> bool:
        return gradcheck(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
