"""Samples of the ops that work element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Sample

SPECIAL = np.array(
    [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1e-4, 1e10, 2.0]
)
"""Numbers at which functions differ from case to case."""

PAIRS = SPECIAL.repeat(len(SPECIAL)), np.tile(SPECIAL, len(SPECIAL))
"""Every pair of such numbers."""


def one(name: str, **settings: Any) -> Sample:
    """Return a sample of a function of one tensor."""
    settings = {"pointwise": True, **settings}
    return Sample(name, lambda t, x: getattr(t, name)(x), **settings)


def two(name: str, **settings: Any) -> Sample:
    """Return a sample of a function of two tensors."""
    settings = {"pointwise": True, "inputs": ((3, 4), (3, 4)), **settings}
    return Sample(name, lambda t, x, y: getattr(t, name)(x, y), **settings)


def of(name: str, call: Any, **settings: Any) -> Sample:
    """Return a sample of an expression of one tensor."""
    return Sample(name, call, **{"pointwise": True, **settings})


STEP: dict[str, Any] = {"smooth": False}
TEST: dict[str, Any] = {"grad": False}
ONCE: dict[str, Any] = {"second": False, "smooth": False}

ONE = [
    one("neg", dtypes="fhic"),
    one("positive", dtypes="fhic"),
    one("abs", dtypes="fhic"),
    one("sign", dtypes="fhib", **STEP),
    one("sgn", dtypes="fhibc"),
    one("reciprocal", dtypes="fhic", domain=(0.5, 2)),
    one("square", dtypes="fhibc"),
    one("sqrt", dtypes="fhibc", domain=(0.5, 2)),
    one("rsqrt", dtypes="fhic", domain=(0.5, 2)),
    one("exp", dtypes="fhibc"),
    one("exp2", dtypes="fhibc"),
    one("expm1", dtypes="fhibc"),
    one("log", dtypes="fhic", domain=(0.5, 3)),
    one("log2", dtypes="fhic", domain=(0.5, 3)),
    one("log10", dtypes="fhic", domain=(0.5, 3)),
    one("log1p", dtypes="fhic", domain=(0.5, 3)),
    one("sin", dtypes="fhibc"),
    one("cos", dtypes="fhibc"),
    one("tan", dtypes="fhibc", domain=(-1, 1)),
    one("asin", dtypes="fhc", domain=(-0.9, 0.9)),
    one("acos", dtypes="fhc", domain=(-0.9, 0.9)),
    one("atan", dtypes="fhibc", domain=(-0.7, 0.7)),
    one("sinh", dtypes="fhibc"),
    one("cosh", dtypes="fhibc"),
    one("tanh", dtypes="fhibc"),
    one("asinh", dtypes="fhibc", domain=(-0.7, 0.7)),
    one("acosh", dtypes="fhc", domain=(1.5, 3)),
    one("atanh", dtypes="fhc", domain=(-0.7, 0.7)),
    one("sinc", dtypes="fhibc"),
    one("sigmoid", dtypes="fhibc"),
    one("deg2rad", dtypes="fhib"),
    one("rad2deg", dtypes="fhib"),
    one("floor", dtypes="fhi", **STEP),
    one("ceil", dtypes="fhi", **STEP),
    one("trunc", dtypes="fhi", **STEP),
    one("round", dtypes="fhi", **STEP),
    one("frac", dtypes="fh"),
    of("round decimals", lambda t, x: t.round(x, decimals=1), dtypes="f", **STEP),
    of("round tens", lambda t, x: t.round(x * 100, decimals=-1), **STEP, grad_fn=False),
    one("angle", dtypes="fhic"),
    one("nan_to_num", dtypes="fhib"),
    one("isnan", dtypes="fhibc", **TEST),
    one("isinf", dtypes="fhibc", **TEST),
    one("isfinite", dtypes="fhibc", **TEST),
    one("isposinf", dtypes="fhib", **TEST),
    one("isneginf", dtypes="fhib", **TEST),
    one("isreal", dtypes="fhibc", **TEST),
    one("signbit", dtypes="fhib", **TEST),
    one("logical_not", dtypes="fhibc", **TEST),
    one("bitwise_not", dtypes="ib", **TEST),
    one("frexp", dtypes="fh"),
]

TWO = [
    two("add", dtypes="fhibc"),
    two("sub", dtypes="fhic"),
    two("mul", dtypes="fhibc"),
    two("div", dtypes="fhic", domain=(1, 3)),
    two("floor_divide", dtypes="fhi", domain=(1, 3), grad=False),
    two("remainder", dtypes="fhi", domain=(1, 3)),
    two("fmod", dtypes="fhi", domain=(1, 3)),
    two("pow", dtypes="fhic", domain=(0.5, 2)),
    two("float_power", dtypes="fhic", domain=(0.5, 2)),
    two("logaddexp", dtypes="fhc"),
    two("logaddexp2", dtypes="fh"),
    two("atan2", dtypes="fhib"),
    two("hypot", dtypes="fh"),
    two("copysign", dtypes="fhib"),
    two("maximum", dtypes="fhib"),
    two("minimum", dtypes="fhib"),
    two("fmax", dtypes="fhib"),
    two("fmin", dtypes="fhib"),
    two("heaviside", dtypes="fhib", grad=False),
    two("nextafter", dtypes="f", second=False, smooth=False),
    two("ldexp", dtypes="fhic"),
    two("clamp_min", dtypes="fhib"),
    two("clamp_max", dtypes="fhib"),
    two("eq", dtypes="fhibc", **TEST),
    two("ne", dtypes="fhibc", **TEST),
    two("lt", dtypes="fhib", **TEST),
    two("le", dtypes="fhib", **TEST),
    two("gt", dtypes="fhib", **TEST),
    two("ge", dtypes="fhib", **TEST),
    two("isclose", dtypes="fhibc", **TEST),
    two("logical_and", dtypes="fhibc", **TEST),
    two("logical_or", dtypes="fhibc", **TEST),
    two("logical_xor", dtypes="fhibc", **TEST),
    two("bitwise_and", dtypes="ib", **TEST),
    two("bitwise_or", dtypes="ib", **TEST),
    two("bitwise_xor", dtypes="ib", **TEST),
    two("bitwise_left_shift", dtypes="i", **TEST),
    two("bitwise_right_shift", dtypes="i", **TEST),
    two("gcd", dtypes="i", domain=(-30, 30), **TEST),
    two("lcm", dtypes="i", domain=(-30, 30), **TEST),
    two("complex", dtypes="f"),
    two("polar", dtypes="f", domain=(0.5, 2)),
    two("equal", dtypes="fi", grad=False, pointwise=False),
    two("allclose", dtypes="fi", grad=False, pointwise=False),
]


def mixed(name: str, call: Any, **settings: Any) -> Sample:
    """Return a sample of an expression of two tensors."""
    inputs = settings.pop("inputs", ((3, 4), (3, 4)))
    return Sample(name, call, inputs, **{"pointwise": True, **settings})


MIXED = [
    mixed("add alpha", lambda t, x, y: t.add(x, y, alpha=3), dtypes="fhic"),
    mixed("sub alpha", lambda t, x, y: t.sub(x, y, alpha=3), dtypes="fhic"),
    mixed("rsub", lambda t, x, y: t.rsub(x, y), dtypes="fhic"),
    mixed("rsub alpha", lambda t, x, y: t.rsub(x, y, alpha=2), dtypes="fhic"),
    mixed(
        "div floor",
        lambda t, x, y: t.div(x, y, rounding_mode="floor"),
        dtypes="fhi",
        domain=(1, 3),
        smooth=False,
    ),
    mixed(
        "div trunc",
        lambda t, x, y: t.div(x - 2, y, rounding_mode="trunc"),
        dtypes="fhi",
        domain=(1, 3),
        smooth=False,
    ),
    mixed(
        "fmod of negative", lambda t, x, y: t.fmod(-x, y), dtypes="fi", domain=(1, 3)
    ),
    mixed("lerp number", lambda t, x, y: t.lerp(x, y, 0.3), dtypes="fhc"),
    mixed("lerp near the end", lambda t, x, y: t.lerp(x, y, 0.9), dtypes="fhc"),
    mixed(
        "lerp",
        lambda t, x, y, w: t.lerp(x, y, w),
        inputs=((3, 4),) * 3,
        dtypes="fhc",
    ),
    mixed(
        "addcmul",
        lambda t, x, y, z: t.addcmul(x, y, z),
        inputs=((3, 4),) * 3,
        dtypes="fhic",
    ),
    mixed(
        "addcmul value",
        lambda t, x, y, z: t.addcmul(x, y, z, value=3),
        inputs=((3, 4),) * 3,
        dtypes="fhic",
    ),
    mixed(
        "addcdiv",
        lambda t, x, y, z: t.addcdiv(x, y, z, value=2),
        inputs=((3, 4),) * 3,
        dtypes="fhc",
        domain=(1, 2),
    ),
    mixed(
        "clamp tensors",
        lambda t, x, y, z: t.clamp(x, y, z),
        inputs=((3, 4),) * 3,
        dtypes="fhi",
        pointwise=False,
    ),
    mixed("clamp tensor min", lambda t, x, y: t.clamp(x, y), dtypes="fi"),
    mixed("clamp tensor max", lambda t, x, y: t.clamp(x, max=y), dtypes="fi"),
    mixed("where", lambda t, x, y: t.where(x > y, x, y), dtypes="fhi"),
    mixed(
        "where condition",
        lambda t, c, x, y: t.where(c, x, y),
        inputs=(lambda rng: rng.integers(0, 2, (3, 4)) > 0, (3, 4), (3, 4)),
        dtypes="fhibc",
        pointwise=False,
    ),
    mixed(
        "where of many",
        lambda t, c, x, y: t.where(c, x, y),
        inputs=(lambda rng: rng.integers(0, 2, (40, 50)) > 0, (40, 50), (50,)),
        dtypes="fhic",
        pointwise=False,
        second=False,
    ),
    of("where number", lambda t, x: t.where(x > 0, x, 0), dtypes="fhi"),
    of("where numbers", lambda t, x: t.where(x > 0, 1, 2.5), dtypes="fi", grad=False),
    of("where method", lambda t, x: x.where(x > 0, 1.5), dtypes="fhi"),
    of("where indices", lambda t, x: t.where(x > 0), grad=False, pointwise=False),
    of("add number", lambda t, x: x + 2, dtypes="fhibc"),
    of("add float", lambda t, x: x + 2.5, dtypes="fhibc"),
    of("add complex", lambda t, x: x + 1j, dtypes="fic"),
    of("radd", lambda t, x: 2 + x, dtypes="fhibc"),
    of("sub number", lambda t, x: x - 2, dtypes="fhic"),
    of("rsub number", lambda t, x: 2 - x, dtypes="fhic"),
    of("mul number", lambda t, x: x * -3, dtypes="fhibc"),
    of("mul by numpy", lambda t, x: x * np.float64(2.5), dtypes="fi"),
    of("rmul", lambda t, x: 2.5 * x, dtypes="fhibc"),
    of("div number", lambda t, x: x / 4, dtypes="fhibc"),
    of("rdiv", lambda t, x: 4 / x, dtypes="fhic", domain=(0.5, 2)),
    of("floordiv number", lambda t, x: x // 2, dtypes="fhi", grad=False),
    of("rfloordiv", lambda t, x: 7 // x, dtypes="fhi", domain=(0.5, 3), grad=False),
    of("mod number", lambda t, x: x % 3, dtypes="fhi"),
    of("rmod", lambda t, x: 7 % x, dtypes="fhi", domain=(0.5, 3), grad=False),
    of("fmod number", lambda t, x: t.fmod(x, -2), dtypes="fh"),
    of("pow 0", lambda t, x: x**0, dtypes="fhic"),
    of("pow 1", lambda t, x: x**1, dtypes="fhic"),
    of("pow 2", lambda t, x: x**2, dtypes="fhibc"),
    of("pow 3", lambda t, x: x**3, dtypes="fhic"),
    of("pow -1", lambda t, x: x**-1, dtypes="fhc", domain=(0.5, 2)),
    of("pow 0.5", lambda t, x: x**0.5, dtypes="fhic", domain=(0.5, 2)),
    of("pow 2.5", lambda t, x: t.pow(x, 2.5), dtypes="fhic", domain=(0.5, 2)),
    of("pow complex", lambda t, x: x**1j, dtypes="fc", domain=(0.5, 2)),
    of("rpow", lambda t, x: 2**x, dtypes="fhic"),
    of("rpow 0", lambda t, x: 0**x, dtypes="fh", **ONCE),
    of("rpow float", lambda t, x: t.pow(2.5, x), dtypes="fhic"),
    of("float_power number", lambda t, x: t.float_power(x, 3), dtypes="fhibc"),
    of("pow of integers", lambda t, x: (x + 1) ** -x, dtypes="i", grad=False),
    of("clamp", lambda t, x: x.clamp(-1, 1), dtypes="fhib"),
    of("clamp min", lambda t, x: x.clamp(min=0.5), dtypes="fhi"),
    of("clamp max", lambda t, x: t.clip(x, max=0.5), dtypes="fhi"),
    of("clamp crossed", lambda t, x: x.clamp(1, -1), dtypes="fhi", smooth=False),
    of("clamp_min number", lambda t, x: t.clamp_min(x, 0), dtypes="fhib"),
    of("clamp_max number", lambda t, x: t.clamp_max(x, 0.5), dtypes="fhib"),
    of("copysign number", lambda t, x: t.copysign(x, -1), dtypes="fhib"),
    of("invert", lambda t, x: ~x, dtypes="ib", grad=False),
    of("and", lambda t, x: x & 3, dtypes="i", grad=False),
    of("ror", lambda t, x: 3 | x, dtypes="i", grad=False),
    of("xor", lambda t, x: x ^ True, dtypes="ib", grad=False),
    of("lshift", lambda t, x: x << 2, dtypes="i", grad=False),
    of("rlshift", lambda t, x: 2 << x, dtypes="i", grad=False),
    of("rshift", lambda t, x: x >> 1, dtypes="i", grad=False),
    of("gt number", lambda t, x: x > 0.5, dtypes="fhib", grad=False),
    of("number gt", lambda t, x: x < 1, dtypes="fhib", grad=False),
    of("eq number", lambda t, x: x == 1, dtypes="fhibc", grad=False),
    of("ne none", lambda t, x: x != None, pointwise=False, grad=False),  # noqa: E711
    of("abs operator", lambda t, x: abs(-x) + (+x), dtypes="fhi", grad_fn=False),
]


def part(name: str, call: Any, **settings: Any) -> Sample:
    """Return a sample of a function of complex numbers."""
    return Sample(
        name, call, **{"pointwise": True, "dtypes": "c", "smooth": False, **settings}
    )


COMPLEX = [
    part("real", lambda t, x: t.real(x) * 1),
    part("imag", lambda t, x: t.imag(x) * 1),
    part("real view", lambda t, x: x.real, second=False),
    part("conj", lambda t, x: x.conj()),
    part("conj_physical", lambda t, x: t.conj_physical(x)),
    part("view_as_real", lambda t, x: t.view_as_real(x), second=False, pointwise=False),
    part("nan_to_num complex", lambda t, x: t.nan_to_num(x / 0), grad=False),
    part("view_as_complex", lambda t, x: t.view_as_complex(t.view_as_real(x * x))),
    of("real of real", lambda t, x: t.real(x), dtypes="fi"),
    of("conj of real", lambda t, x: x.conj(), dtypes="fi"),
    mixed("mul of real", lambda t, x, y: (x.real * y).abs(), dtypes="c", grad_fn=False),
]

AT_SPECIAL_VALUES = """
    neg abs sign sgn reciprocal sqrt rsqrt exp exp2 expm1 log log2 log10 log1p sin cos
    asin acos atan sinh cosh tanh asinh atanh sinc sigmoid floor ceil trunc round
    frac nan_to_num angle square isnan isinf isfinite isposinf signbit logical_not
    """
AT_SPECIAL_PAIRS = """
    add mul div floor_divide remainder fmod pow atan2 hypot copysign maximum minimum
    fmax fmin heaviside clamp_min clamp_max logaddexp eq lt isclose
    """
AT_SPECIAL = [
    Sample(
        f"{name} at special values",
        lambda t, x, name=name: getattr(t, name)(x),
        [SPECIAL],
        **ONCE,
    )
    for name in AT_SPECIAL_VALUES.split()
] + [
    Sample(
        f"{name} at special pairs",
        lambda t, x, y, name=name: getattr(t, name)(x, y),
        PAIRS,
        grad=name not in ("floor_divide", "heaviside"),
        **ONCE,
    )
    for name in [
        "add",
        "mul",
        "div",
        "floor_divide",
        "remainder",
        "fmod",
        "pow",
        "atan2",
        "hypot",
        "copysign",
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "heaviside",
        "clamp_min",
        "clamp_max",
        "logaddexp",
        "eq",
        "lt",
        "isclose",
    ]
]

SAMPLES = ONE + TWO + MIXED + COMPLEX + AT_SPECIAL
