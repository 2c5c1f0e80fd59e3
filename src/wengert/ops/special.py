"""Special functions: `torch.special`, and those of them that `torch` has, too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from wengert.primitives import polynomials as P, special as S
from wengert.tensor import Tensor

from .public import describe, namespace, of_tensors, op, publish, with_out

Function = Callable[..., Any]

functions: dict[str, Function] = {}
"""What `torch.special` has."""

ONE = """{summary}

Args:
    input: a real tensor.

>>> import wengert as torch
>>> torch.{name}(torch.tensor({example}))
{result}
"""


def one(
    call: Function,
    names: str,
    summary: str,
    example: str,
    result: str,
) -> None:
    """Make a quick call a function of `torch.special`.

    Args:
        call: the quick call of a primitive.
        names: the function's name, and others for it, separated by spaces.
        summary: the documentation's first line.
        example: what a tensor is made of to call it with.
        result: what is printed then.
    """
    first, *_ = names.split()
    text = ONE.format(
        summary=summary, name=f"special.{first}", example=example, result=result
    )
    add(describe(call, text), *names.split())


def add(call: Function, *names: str, numbers: bool = False) -> Function:
    """Make an op a function of `torch.special`, under all of the names."""
    for name in names:
        functions[name] = with_out(call, names[0], numbers)
    return call


# --- the normal distribution ----------------------------------------------------------

one(
    S.erf,
    "erf",
    "The error function 2/√π ∫₀ˣ exp(-t²) dt of each element x.",
    "[0.0, 1.0]",
    "tensor([0.0000, 0.8427])",
)
one(
    S.erfc,
    "erfc",
    "1 - erf(x), exact for large x, too.",
    "[0.0, 1.0]",
    "tensor([1.0000, 0.1573])",
)
one(
    S.erfinv,
    "erfinv",
    "The inverse of the error function.",
    "[0.0, 0.5]",
    "tensor([0.0000, 0.4769])",
)
for _name in ("erf", "erfc", "erfinv"):
    publish(getattr(S, _name), (_name,), inplace=True)
one(
    S.erfcx,
    "erfcx",
    "exp(x²) erfc(x), without overflow.",
    "[0.0, 10.0]",
    "tensor([1.0000, 0.0561])",
)
one(
    S.ndtri,
    "ndtri",
    "The quantiles of the normal distribution.",
    "[0.5, 0.9]",
    "tensor([0.0000, 1.2816])",
)
one(
    S.log_ndtr,
    "log_ndtr",
    "The logarithm of the normal distribution function.",
    "[-20.0, 0.0]",
    "tensor([-203.9172,   -0.6931])",
)


def ndtr(input: Tensor) -> Tensor:
    """The normal distribution function: (1 + erf(x/√2)) / 2.

    >>> import wengert as torch
    >>> torch.special.ndtr(torch.tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5000, 0.8413])
    """
    return S.erfc(input * -math.sqrt(0.5)) * 0.5


add(ndtr, "ndtr")

# --- logarithms times something -------------------------------------------------------


@op(inplace=True)
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """The logarithm of the odds: log(x / (1 - x)), the inverse of `sigmoid`.

    Args:
        input: a tensor of probabilities.
        eps: those below it, or above 1 - eps, count as these bounds, and their gradient
            is 0.

    >>> import wengert as torch
    >>> torch.logit(torch.tensor([0.0, 0.5, 0.9]), eps=0.1)
    tensor([-2.1972,  0.0000,  2.1972])
    """
    return S.logit(input, eps)


add(logit, "logit")


def by_tensors(variants: tuple[Function, Function, Function]) -> Function:
    """Return the choice among a primitive of two tensors and those with a number."""
    both, number_first, number_second = variants

    def choose(input: Any, other: Any) -> Tensor:
        if not isinstance(input, Tensor):
            return number_first(input, other)
        return (both if isinstance(other, Tensor) else number_second)(input, other)

    return choose


_xlogy = by_tensors((S.xlogy, S.number_xlogy, S.xlogy_number))
_xlog1py = by_tensors((S.xlog1py, S.number_xlog1py, S.xlog1py_number))
_zeta = by_tensors((S.zeta, S.number_zeta, S.zeta_number))


@op(inplace=True, numbers=True)
def xlogy(input: Any, other: Any) -> Tensor:
    """The product ``input * log(other)``, 0 where input is 0.

    Args:
        input: a tensor, or a number if the other one is a tensor.
        other: a tensor or number.

    >>> import wengert as torch
    >>> torch.xlogy(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 2.0]))
    tensor([0.0000, 0.6931])
    """
    return _xlogy(input, other)


def xlog1py(input: Any, other: Any) -> Tensor:
    """The product ``input * log1p(other)``, 0 where input is 0.

    >>> import wengert as torch
    >>> torch.special.xlog1py(torch.tensor([0.0, 1.0]), torch.tensor([-1.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return _xlog1py(input, other)


add(xlogy, "xlogy", numbers=True)
add(xlog1py, "xlog1py", numbers=True)
one(
    S.entr,
    "entr",
    "The entropy -x log(x) of each element.",
    "[0.5, 1.0]",
    "tensor([0.3466, -0.0000])",
)

# --- Γ and its kin --------------------------------------------------------------------

one(
    S.lgamma,
    "gammaln",
    "The logarithm of the absolute value of Γ(x).",
    "[0.5, 5.0]",
    "tensor([0.5724, 3.1781])",
)
one(
    S.digamma,
    "digamma psi",
    "The derivative of the logarithm of Γ(x).",
    "[1.0, 2.0]",
    "tensor([-0.5772,  0.4228])",
)
publish(S.lgamma, ("lgamma",), inplace=True)
publish(S.digamma, ("digamma",), inplace=True)


def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of `digamma`.

    Raises:
        RuntimeError: n is negative.

    >>> import wengert as torch
    >>> torch.polygamma(1, torch.tensor([1.0, 0.5]))
    tensor([1.6449, 4.9348])
    """
    check_integer("polygamma", "n", 0, n)
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return S.polygamma(input, n=n)


def polygamma_method(input: Tensor, n: int) -> Tensor:
    """The n-th derivative of `digamma`: see `torch.polygamma`."""
    return polygamma(n, input)


add(polygamma, "polygamma")
namespace["polygamma"] = functions["polygamma"]
publish(polygamma_method, ("polygamma",), function=False, inplace=True)


@op(inplace=True)
def mvlgamma(input: Tensor, p: int) -> Tensor:
    """The logarithm of the Γ function of dimension p.

    It is the sum of log Γ(x - (j-1)/2) for j from 1 to p, plus log(π) p (p-1) / 4.

    >>> import wengert as torch
    >>> torch.mvlgamma(torch.tensor([2.0, 3.0]), 2)
    tensor([0.4516, 1.5502])
    """
    check_integer("mvlgamma", "p", 1, p)
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    return S.mvlgamma(input, p=p)


def check_integer(op: str, name: str, position: int, value: Any) -> None:
    """Refuse an argument, numbered from 0, that is no integer."""
    if not isinstance(value, int):
        raise TypeError(
            f"{op}(): argument '{name}' (position {position + 1}) must be int, not "
            f"{type(value).__name__}"
        )


add(mvlgamma, "multigammaln")

TWO = """{summary}

The gradient of `other` alone is known.

>>> import wengert as torch
>>> torch.{name}(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 2.0]))
{result}
"""
for _call, _name, _alias, _summary, _result in (
    (
        S.igamma,
        "igamma",
        "gammainc",
        "The regularised lower incomplete Γ function.",
        "tensor([0.8647, 0.5940])",
    ),
    (
        S.igammac,
        "igammac",
        "gammaincc",
        "1 - igamma(input, other).",
        "tensor([0.1353, 0.4060])",
    ),
):
    _text = TWO.format(summary=_summary, name=_name, result=_result)
    _call = describe(of_tensors(_call), _text)
    publish(_call, (_name,), inplace=True)
    add(_call, _alias)


def zeta(input: Any, other: Any) -> Tensor:
    """The Hurwitz zeta function: the sum of (k + other)^(-input) for k from 0.

    >>> import wengert as torch
    >>> torch.special.zeta(torch.tensor([2.0, 4.0]), 1)
    tensor([1.6449, 1.0823])
    """
    return _zeta(input, other)


add(zeta, "zeta", numbers=True)

# --- Bessel functions -----------------------------------------------------------------

one(
    S.i0,
    "i0",
    "The modified Bessel function I₀.",
    "[0.0, 1.0]",
    "tensor([1.0000, 1.2661])",
)
publish(S.i0, ("i0",), inplace=True)
one(
    S.i0e,
    "i0e",
    "The modified Bessel function I₀, times exp(-|x|).",
    "[0.0, 1.0]",
    "tensor([1.0000, 0.4658])",
)
one(
    S.i1,
    "i1",
    "The modified Bessel function I₁.",
    "[0.0, 1.0]",
    "tensor([0.0000, 0.5652])",
)
one(
    S.i1e,
    "i1e",
    "The modified Bessel function I₁, times exp(-|x|).",
    "[0.0, 1.0]",
    "tensor([0.0000, 0.2079])",
)
for _name, _summary in (
    ("airy_ai", "The Airy function Ai."),
    ("bessel_j0", "The Bessel function J₀."),
    ("bessel_j1", "The Bessel function J₁."),
    ("bessel_y0", "The Bessel function Y₀."),
    ("bessel_y1", "The Bessel function Y₁."),
    ("modified_bessel_i0", "The modified Bessel function I₀; `i0` is differentiable."),
    ("modified_bessel_i1", "The modified Bessel function I₁; `i1` is differentiable."),
    ("modified_bessel_k0", "The modified Bessel function K₀."),
    ("modified_bessel_k1", "The modified Bessel function K₁."),
    ("scaled_modified_bessel_k0", "The modified Bessel function K₀, times exp(x)."),
    ("scaled_modified_bessel_k1", "The modified Bessel function K₁, times exp(x)."),
    ("spherical_bessel_j0", "The spherical Bessel function j₀: sin(x) / x."),
):
    add(describe(getattr(S, _name), f"{_summary}\n\nIt has no derivative here."), _name)

# --- orthogonal polynomials -----------------------------------------------------------

POLYNOMIAL = """The {what} polynomials of degree n at x, element by element.

They have no derivative here. Degrees below zero give 0.

Args:
    input: x, a tensor or number.
    n: the degrees, a tensor or number.
"""
for _name, _call, _what in (
    ("chebyshev_polynomial_t", P.chebyshev_t, "Chebyshev (first kind)"),
    ("chebyshev_polynomial_u", P.chebyshev_u, "Chebyshev (second kind)"),
    ("chebyshev_polynomial_v", P.chebyshev_v, "Chebyshev (third kind)"),
    ("chebyshev_polynomial_w", P.chebyshev_w, "Chebyshev (fourth kind)"),
    ("shifted_chebyshev_polynomial_t", P.shifted_chebyshev_t, "shifted Chebyshev"),
    ("shifted_chebyshev_polynomial_u", P.shifted_chebyshev_u, "shifted Chebyshev"),
    ("shifted_chebyshev_polynomial_v", P.shifted_chebyshev_v, "shifted Chebyshev"),
    ("shifted_chebyshev_polynomial_w", P.shifted_chebyshev_w, "shifted Chebyshev"),
    ("hermite_polynomial_h", P.hermite_h, "physicists' Hermite"),
    ("hermite_polynomial_he", P.hermite_he, "probabilists' Hermite"),
    ("laguerre_polynomial_l", P.laguerre_l, "Laguerre"),
    ("legendre_polynomial_p", P.legendre_p, "Legendre"),
):
    add(describe(_call, POLYNOMIAL.format(what=_what)), _name, numbers=True)
