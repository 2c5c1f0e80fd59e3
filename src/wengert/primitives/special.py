"""Special functions: of the normal distribution, Γ and its kin, Bessel, polynomials.

The error functions and trigamma are the library's own, and so are lgamma and digamma
where SciPy is missing. The others are SciPy's, loaded when one of them is first called.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy import ndarray

from wengert import errors

from .elementwise import exp, log, sign
from .op import elementwise, nondifferentiable
from .selection import eq, ge, le, logical_not, masked

Function = Callable[..., Any]

# --- where the values come from -------------------------------------------------------


@cache
def library(module: str, name: str) -> Function:
    """Return a function of a module that is loaded when it is first needed."""
    try:
        found: Function = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if not module.startswith("scipy"):
            raise
        raise errors.needs_extra(
            f"special function {name}", "SciPy", "science"
        ) from error
    return found


def scipy(name: str) -> Function:
    """Return the forward that is SciPy's function of this name."""

    def forward(*args: Any) -> Any:
        dtype = next(arg.dtype for arg in args if hasattr(arg, "dtype"))
        check_floats(dtype)
        return library("scipy.special", name)(*args).astype(dtype, copy=False)

    return forward


def own(name: str) -> Function:
    """Return the forward that is the library's own function of this name."""

    def forward(self: ndarray) -> Any:
        check_floats(self.dtype)
        return library("wengert.kernels.special", name)(self)

    return forward


def check_floats(dtype: np.dtype[Any]) -> None:
    """Have dtypes promoted first that are no floats."""
    if dtype.kind != "f":
        raise TypeError("not floats")


def of_one(name: str, forward: Function, **rules: Any) -> Any:
    """Declare a function of one real input."""
    return elementwise(name, forward, promote="float", refuses="c", **rules)


def of_two(name: str, forward: Function, **rules: Any) -> Any:
    """Declare a function of two real inputs."""
    return elementwise(
        name,
        forward,
        inputs=("self", "other"),
        promote="float",
        refuses="c",
        **rules,
    )


def of_two_or_numbers(
    name: str, grad_fn: str, forward: Function, vjp_self: Function, vjp_other: Function
) -> tuple[Any, Any, Any]:
    """Declare a function of two tensors, and that with a number in place of either.

    Args:
        name: the first one's; the others add to it.
        grad_fn: the nodes' name, to which 0, 1 and 2 is added.
        forward: computes it.
        vjp_self: the cotangent of the first input.
        vjp_other: the cotangent of the second input.
    """
    both, second, first = (f"{grad_fn}Backward{i}" for i in range(3))
    return (
        of_two(name, forward, grad_fn=both, vjp_self=vjp_self, vjp_other=vjp_other),
        of_two(f"number_{name}", forward, grad_fn=second, vjp_other=vjp_other),
        of_two(f"{name}_number", forward, grad_fn=first, vjp_self=vjp_self),
    )


def unknown(name: str) -> Function:
    """Return the rule of an input that PyTorch has no derivative for, either."""

    def rule(grad: Any) -> Any:
        raise NotImplementedError(f"the derivative for '{name}' is not implemented.")

    return rule


# --- the normal distribution ----------------------------------------------------------

TWO_BY_ROOT_PI = 2 / math.sqrt(math.pi)
ROOT_2 = math.sqrt(2)
ROOT_2_PI = math.sqrt(2 * math.pi)

erf = of_one("erf", own("erf"), d=lambda self: exp(-self * self) * TWO_BY_ROOT_PI)
erfc = of_one("erfc", own("erfc"), d=lambda self: exp(-self * self) * -TWO_BY_ROOT_PI)
erfinv = of_one(
    "erfinv", own("erfinv"), d=lambda result: exp(result * result) / TWO_BY_ROOT_PI
)
erfcx = of_one(
    "special_erfcx",
    scipy("erfcx"),
    d=lambda self, result: self * result * 2 - TWO_BY_ROOT_PI,
)
ndtri = of_one(
    "special_ndtri",
    scipy("ndtri"),
    d=lambda result: exp(result * result * 0.5) * ROOT_2_PI,
)
log_ndtr = of_one(
    "special_log_ndtr",
    scipy("log_ndtr"),
    # The density by the distribution function; far to the left both vanish.
    d=lambda self: TWO_BY_ROOT_PI / ROOT_2 / erfcx(-self / ROOT_2),
)

# --- logarithms times something -------------------------------------------------------


def _logit(self: ndarray, eps: Any) -> Any:
    if eps is not None and eps >= 0:
        self = np.minimum(np.maximum(self, eps), 1 - eps)
    return np.log(self / (1 - self))


def _logit_vjp(grad: Any, self: Any, eps: Any) -> Any:
    slope = grad / (self * (1 - self))
    if eps is None or eps < 0:
        return slope
    return masked(slope, ge(self, eps) & le(self, 1 - eps))


logit = elementwise(
    "logit",
    _logit,
    inputs=("self", "eps"),
    promote="float",
    refuses="c",
    vjp_self=_logit_vjp,
)


def _times_log(log: Function) -> Function:
    """Return the forward of self * log(other), which is 0 where self is."""

    def forward(self: Any, other: Any) -> Any:
        dtype = (self if hasattr(self, "dtype") else other).dtype
        check_floats(dtype)
        zero = (self == 0) & ~np.isnan(other)
        return np.where(zero, 0, self * log(other)).astype(dtype, copy=False)

    return forward


def _unless_zero(grad: Any, self: Any, other: Any) -> Any:
    """What is finite of grad * log(other): nothing where self is 0, and other, too."""
    return masked(grad * log(other), logical_not(eq(self, 0) & le(other, 0)))


xlogy, number_xlogy, xlogy_number = of_two_or_numbers(
    "xlogy",
    "Xlogy",
    _times_log(np.log),
    vjp_self=_unless_zero,
    vjp_other=lambda grad, self, other: grad * (self / other),
)
xlog1py, number_xlog1py, xlog1py_number = of_two_or_numbers(
    "special_xlog1py",
    "SpecialXlog1Py",
    _times_log(np.log1p),
    vjp_self=lambda grad, self, other: _unless_zero(grad, self, other + 1),
    vjp_other=lambda grad, self, other: grad * (self / (other + 1)),
)
entr = of_one(
    "special_entr", scipy("entr"), vjp=lambda grad, self: grad * (-log(self) - 1)
)

# --- Γ and its kin --------------------------------------------------------------------


@cache
def gamma_function(name: str, own_name: str) -> Function:
    """Return SciPy's function, which is quicker, or where it is missing the own one."""
    try:
        return library("scipy.special", name)
    except ImportError:
        return library("wengert.kernels.gamma", own_name)


def _lgamma(self: ndarray) -> Any:
    check_floats(self.dtype)
    return gamma_function("gammaln", "lgamma")(self).astype(self.dtype, copy=False)


def _digamma(self: ndarray) -> Any:
    check_floats(self.dtype)
    return gamma_function("psi", "digamma")(self).astype(self.dtype, copy=False)


lgamma = of_one("lgamma", _lgamma, d=lambda self: digamma(self))
digamma = of_one("digamma", _digamma, d=lambda self: polygamma(self, n=1))


def _polygamma(self: ndarray, *, n: int) -> Any:
    if n == 0:
        return _digamma(self)
    if n == 1:
        check_floats(self.dtype)
        return library("wengert.kernels.gamma", "trigamma")(self)
    found = library("scipy.special", "polygamma")(n, self)
    return found.astype(self.dtype, copy=False)


polygamma = of_one("polygamma", _polygamma, d=lambda self, n: polygamma(self, n=n + 1))


def _mvlgamma(self: ndarray, *, p: int) -> Any:
    gammaln = gamma_function("gammaln", "lgamma")
    terms = [gammaln(self - 0.5 * j) for j in range(p)]
    constant = p * (p - 1) / 4 * math.log(math.pi)
    return (sum(terms) + constant).astype(self.dtype, copy=False)


mvlgamma = of_one(
    "mvlgamma",
    _mvlgamma,
    d=lambda self, p: sum([digamma(self - 0.5 * j) for j in range(p)]),
)


def _gamma_density(grad: Any, self: Any, other: Any) -> Any:
    """The density of the Γ distribution with the shape self at other."""
    return grad * exp((self - 1) * log(other) - other - lgamma(self))


igamma = of_two(
    "igamma",
    scipy("gammainc"),
    vjp_self=unknown("igamma: input"),
    vjp_other=_gamma_density,
)
igammac = of_two(
    "igammac",
    scipy("gammaincc"),
    vjp_self=unknown("igammac: input"),
    vjp_other=lambda grad, self, other: -_gamma_density(grad, self, other),
)
zeta, number_zeta, zeta_number = of_two_or_numbers(
    "special_zeta",
    "SpecialZeta",
    scipy("zeta"),
    vjp_self=unknown("zeta"),
    vjp_other=lambda grad, self, other: grad * -self * zeta(self + 1, other),
)

# --- Bessel functions -----------------------------------------------------------------


def _half_at_zero(grad: Any, slope: Any, zero: Any) -> Any:
    """The rule of a function whose slope is 1/2 at 0, where its formula fails."""
    return masked(grad * slope, logical_not(zero)) + masked(grad * 0.5, zero)


def _i1_vjp(grad: Any, self: Any, result: Any) -> Any:
    zero = eq(self, 0)
    return _half_at_zero(grad, i0(self) - result / (self + zero), zero)


def _i1e_vjp(grad: Any, self: Any, result: Any) -> Any:
    zero = eq(self, 0)
    slope = i0e(self) - result * (sign(self) + 1 / (self + zero))
    return _half_at_zero(grad, slope, zero)


i0 = of_one("i0", scipy("i0"), d=lambda self: i1(self))
i0e = of_one(
    "special_i0e",
    scipy("i0e"),
    d=lambda self, result: i1e(self) - sign(self) * result,
    grad_fn="SpecialI0EBackward0",
)
i1 = of_one(
    "special_i1",
    scipy("i1"),
    vjp=_i1_vjp,
)
i1e = of_one(
    "special_i1e",
    scipy("i1e"),
    vjp=_i1e_vjp,
    grad_fn="SpecialI1EBackward0",
)


def _without_derivative(name: str, forward: Function, *inputs: str) -> Any:
    return nondifferentiable(
        f"special_{name}",
        forward,
        inputs=inputs or ("self",),
        promote="float",
        kind="elementwise",
        refuses="c",
    )


def _airy_ai(self: ndarray) -> Any:
    return library("scipy.special", "airy")(self)[0].astype(self.dtype, copy=False)


def _spherical_j0(self: ndarray) -> Any:
    return np.sinc(self / math.pi)


airy_ai = _without_derivative("airy_ai", _airy_ai)
bessel_j0 = _without_derivative("bessel_j0", scipy("j0"))
bessel_j1 = _without_derivative("bessel_j1", scipy("j1"))
bessel_y0 = _without_derivative("bessel_y0", scipy("y0"))
bessel_y1 = _without_derivative("bessel_y1", scipy("y1"))
modified_bessel_i0 = _without_derivative("modified_bessel_i0", scipy("i0"))
modified_bessel_i1 = _without_derivative("modified_bessel_i1", scipy("i1"))
modified_bessel_k0 = _without_derivative("modified_bessel_k0", scipy("k0"))
modified_bessel_k1 = _without_derivative("modified_bessel_k1", scipy("k1"))
scaled_modified_bessel_k0 = _without_derivative(
    "scaled_modified_bessel_k0", scipy("k0e")
)
scaled_modified_bessel_k1 = _without_derivative(
    "scaled_modified_bessel_k1", scipy("k1e")
)
spherical_bessel_j0 = _without_derivative("spherical_bessel_j0", _spherical_j0)
