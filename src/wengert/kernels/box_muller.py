"""Normal numbers from uniform ones, by blocks of sixteen as PyTorch, or by pairs.

Of each block, the first eight uniform numbers give radii and the last eight angles. The
products with the angles' cosines fill the first eight places, with the sines the rest:

    radius = √(−2 log(1 − u)),  angle = 2π v,  z = radius cos(angle), radius sin(angle)

Note [Single precision to the last bit]
PyTorch's single-precision logarithm, cosine and sine are the polynomials of the Cephes
library, evaluated with fused multiply-adds. Here they are evaluated in the same order,
and each `a * b + c` that PyTorch fuses is computed in double precision (where the
product of two single-precision numbers is exact) and then rounded to single precision.
So the numbers are PyTorch's bit by bit, whatever vector units NumPy was built for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from .fused import fused

BLOCK = 16


def _singles(*values: float) -> list[ndarray]:
    """Single-precision numbers, held as double; arrays are quicker operands."""
    return [np.array(np.float32(value), np.float64) for value in values]


# log(1 + m) = m − m²/2 + m³ P(m) for 1 + m in [√½, √2), highest power first
_LOG = _singles(
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
# log 2 as a sum: the first part's multiples by exponents are exact
_LOG_2 = np.float32(0.693359375), np.float32(-2.12194440e-4)
_SQRT_HALF = 0x3F3504F3  # the bits of √½
# cos x = 1 − x²/2 + x⁴ C(x²) and sin x = x + x³ S(x²) for |x| ≤ π/4
_COS = _singles(2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2)
_SIN = _singles(-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1)
# π/2 in 48 bits, so that its multiples by 0 … 4 are exact in double precision
_HALF_PI = 2 * sum(_singles(0.78515625, 2.4187564849853516e-4, 3.774894977445941e-8))


def from_words(words: ndarray) -> ndarray:
    """Single-precision normal numbers from 32-bit words (a multiple of 16 of them)."""
    fractions = words.astype(np.int32)
    fractions &= 0xFFFFFF
    radius_fractions, angle_fractions = _split(fractions)
    radius = _radius(0x1000000 - radius_fractions)
    cos, sin = _cos_sin(angle_fractions)
    cos *= radius
    sin *= radius
    return _join(cos, sin)


def from_uniform(uniform: ndarray) -> ndarray:
    """Double-precision normal numbers from uniform ones (a multiple of 16 of them)."""
    u, v = _split(uniform)
    radius = np.sqrt(-2 * np.log(1 - u))
    angle = 2 * np.pi * v
    return _join(radius * np.cos(angle), radius * np.sin(angle))


def in_pairs(uniform: ndarray) -> ndarray:
    """Double-precision normal numbers from uniform pairs: PyTorch's scalar formula."""
    v, u = uniform[::2], uniform[1::2]
    radius = np.sqrt(-2 * np.log1p(-u))
    angle = 2 * np.pi * v
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).reshape(-1)


def _half_block(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Eight numbers as one item: moving them so is several times as quick."""
    return np.dtype((np.void, BLOCK // 2 * dtype.itemsize))


def _split(values: ndarray) -> tuple[ndarray, ndarray]:
    """The first halves of all blocks, and the second halves."""
    halves = values.view(_half_block(values.dtype))
    return halves[::2].copy().view(values.dtype), halves[1::2].copy().view(values.dtype)


def _join(first: ndarray, second: ndarray) -> ndarray:
    """The opposite of `_split`."""
    values = np.empty(2 * first.size, first.dtype)
    halves = values.view(_half_block(values.dtype))
    halves[::2] = first.view(halves.dtype)
    halves[1::2] = second.view(halves.dtype)
    return values


def _radius(fractions: ndarray) -> ndarray:
    """√(−2 log(fractions / 2²⁴)) for integers from 1 to 2²⁴."""
    bits = fractions.astype(np.float32).view(np.int32)
    bits -= _SQRT_HALF + (24 << 23)
    exponent = (bits >> 23).astype(np.float32)
    bits &= 0x7FFFFF
    bits += _SQRT_HALF
    m = bits.view(np.float32)
    m -= 1
    log = _horner(m.astype(np.float64), _LOG)
    log *= m
    square = m * m
    low_part = exponent * _LOG_2[1]
    log = fused(log, square.astype(np.float64), low_part.astype(np.float64))
    square *= 0.5
    log -= square
    log += m
    exponent *= _LOG_2[0]
    log += exponent
    log *= -2
    radius: ndarray = np.sqrt(log, out=log)
    return radius


def _cos_sin(fractions: ndarray) -> tuple[ndarray, ndarray]:
    """The cosine and sine of 2π fractions / 2²⁴."""
    angle = fractions.astype(np.float32)
    angle *= np.float32(2 * np.pi) * np.float32(2**-24)
    quadrant = fractions + (1 << 21)
    quadrant >>= 22
    x = quadrant.astype(np.float64)
    x *= -_HALF_PI
    x += angle.astype(np.float64)
    x = x.astype(np.float32)
    x_wide = x.astype(np.float64)
    square = x * x
    square_wide = square.astype(np.float64)

    cos = _horner(square_wide, _COS)
    cos *= square
    cos = fused(cos, square_wide, square_wide * -0.5)
    cos += 1
    sin = _horner(square_wide, _SIN)
    sin *= square
    sin = fused(sin, x_wide, x_wide)
    return _turn(cos, sin, quadrant)


def _turn(cos: ndarray, sin: ndarray, quadrant: ndarray) -> tuple[ndarray, ndarray]:
    """Cosine and sine, turned by right angles: swapped in odd quadrants, and signed."""
    cos_bits, sin_bits = cos.view(np.int32), sin.view(np.int32)
    swap = cos_bits ^ sin_bits
    swap &= -(quadrant & 1)
    cos_bits ^= swap
    sin_bits ^= swap
    sin_bits ^= (quadrant & 2) << 30
    cos_bits ^= ((quadrant + 1) & 2) << 30
    return cos, sin


def _horner(x: ndarray, coefficients: list[ndarray]) -> ndarray:
    """A polynomial of single-precision numbers, held as double, each step fused."""
    wide = x * coefficients[0]
    wide += coefficients[1]
    narrow: ndarray = wide.astype(np.float32)
    for coefficient in coefficients[2:]:
        wide[...] = narrow
        wide *= x
        wide += coefficient
        narrow[...] = wide
    return narrow
