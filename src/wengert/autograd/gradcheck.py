"""Checking derivatives against finite differences: `gradcheck` and `gradgradcheck`.

`numerical` has the finite differences, `analytical` what the engine computes, and
`comparison` the checks.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from ..tensor import Tensor
from . import comparison as check
from .analytical import GradcheckError, Reverse
from .backward import grad
from .numerical import Point, Tolerance, differentiable, random_like

Function = Callable[..., Any]
Tensors = Tensor | Sequence[Tensor]


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
    point = Point(func, given, Tolerance(eps, atol, rtol))
    try:
        check.check_inputs(point)
        outputs = point.outputs()
        if not outputs:
            check.check_constant(point)
            return True
        if check_forward_ad:
            (check.check_forward_fast if fast_mode else check.check_forward)(point)
            if check_batched_forward_grad:
                check.check_batched_forward(point)
        if check_backward_ad:
            reverse = Reverse(point, nondet_tol, check_grad_dtypes)
            by_mode = check.check_reverse_fast if fast_mode else check.check_reverse
            by_mode(reverse, outputs)
            if check_batched_grad:
                check.check_batched_reverse(point)
            if check_undefined_grad:
                check.check_undefined(point)
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
        outputs = differentiable(func(*given))
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


class _Callable(ModuleType):
    """The module itself: ``torch.autograd.gradcheck`` names the function, too."""

    def __call__(self, *args: Any, **kwargs: Any) -> bool:
        return gradcheck(*args, **kwargs)


sys.modules[__name__].__class__ = _Callable
