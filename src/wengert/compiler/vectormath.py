"""Elementary functions as straight-line IR, which LLVM's vectoriser turns into SIMD.

Each function takes an `Emitter` and a float or double value and returns the result.
There are no branches and no tables: both sides of a case distinction are computed and
one is selected. Results are within 2 ulp; NaN, infinities, signed zeros and subnormals
come out as C's library has them. Polynomials are minimax fits (Remez exchange, weighted
so that the error is relative to the result) over the reduced argument's range.
"""

from __future__ import annotations

import functools
import math

from . import llvm
from .emit import Emitter, Value, suffix
from .polynomials import COS, ERF, EXPM1, LOG, LOG_ERFC, LOG_TAIL, SIN, TANH

_LN2 = {  # high part with trailing zero bits, so that n * high is exact; the rest
    "float": (0.693145751953125, 1.42860682030941723212e-6),
    "double": (6.93147180369123816490e-01, 1.90821492927058770002e-10),
}
_MANTISSA = {"float": 23, "double": 52}
_BIAS = {"float": 127, "double": 1023}
_ROUNDER = {"float": 1.5 * 2.0**23, "double": 1.5 * 2.0**52}
_SMALLEST_NORMAL = {"float": 2.0**-126, "double": 2.0**-1022}


def absolute(e: Emitter, x: Value) -> Value:
    return e.call("llvm.fabs", [x])


def copysign(e: Emitter, magnitude: Value, sign: Value) -> Value:
    return e.call("llvm.copysign", [magnitude, sign])


def _clamp(x: Value, low: float, high: float) -> Value:
    """``x`` within bounds; a NaN stays."""
    x = x.compare("olt", low).select(low, x)
    return x.compare("ogt", high).select(high, x)


def _power_of_two(e: Emitter, n: Value, kind: str) -> Value:
    """``2**n`` for an integer ``n`` whose power is a normal number."""
    return e.from_bits((n + _BIAS[kind]) << _MANTISSA[kind])


def _scaled(e: Emitter, x: Value, n: Value) -> Value:
    """``x * 2**n``, also where the power overflows or is subnormal.

    AVX-512 has an instruction for it, elsewhere it takes two factors.
    """
    if llvm.machine().vector_bytes == 64:
        small = n if n.type == "i32" else e.convert("trunc", n, "i32")
        function = f"@llvm.ldexp.{suffix(x.type)}.i32"
        e.declared.add(f"declare {x.type} {function}({x.type}, i32)")
        call = f"call {x.type} {function}({x.type} {x.text}, i32 {small.text})"
        return e.op(call, x.type)
    half = n >> 1
    scaled = x * _power_of_two(e, half, x.type)
    return scaled * _power_of_two(e, n - half, x.type)


def _nearest_multiple(e: Emitter, x: Value, factor: float) -> tuple[Value, Value]:
    """``n = round(x * factor)`` as a float and as an integer.

    Adding a number whose ulp is one leaves the integer in the low bits of the sum. (A
    conversion instruction would be undefined for a NaN.)
    """
    shifted = e.fma(x, factor, _ROUNDER[x.type])
    n = e.bits(shifted) - e.bits(e.constant(_ROUNDER[x.type], x.type))
    return shifted - _ROUNDER[x.type], n


def _reduced_expm1(e: Emitter, x: Value) -> tuple[Value, Value, Value, Value]:
    """``r, r**2, q, n``: ``r = x - n ln2`` and ``expm1(r) = r + r**2 q``; x clamped."""
    n_float, n = _nearest_multiple(e, x, 1 / math.log(2))
    high, low = _LN2[x.type]
    r = e.fma(n_float, -low, e.fma(n_float, -high, x))
    return r, r * r, e.horner(r, EXPM1[x.type]), n


def exp(e: Emitter, x: Value, exactly: bool = False) -> Value:
    """``exactly``: for half an ulp instead of one, at the price of three operations."""
    low, high = (-104.0, 89.0) if x.type == "float" else (-746.0, 710.0)
    r, square, q, n = _reduced_expm1(e, _clamp(x, low, high))
    if exactly:
        head = r + 1.0
        grown = head + e.fma(square, q, r - (head - 1.0))
    else:
        grown = e.fma(square, q, r) + 1.0
    return _scaled(e, grown, n)


def expm1(e: Emitter, x: Value) -> Value:
    low, high = (-20.0, 89.0) if x.type == "float" else (-40.0, 710.0)
    r, square, q, n = _reduced_expm1(e, _clamp(x, low, high))
    p = e.fma(square, q, r)
    least = 1 - _BIAS[x.type]  # where it is smaller, it does not matter
    minus_n = 0 - n
    minus_n = minus_n.compare("slt", least).select(least, minus_n)
    shrunk = _power_of_two(e, minus_n, x.type)
    result = _scaled(e, p + (1.0 - shrunk), n)
    result = n.compare("eq", 0).select(p, result)
    return x.compare("oeq", 0.0).select(x, result)


def _split(e: Emitter, x: Value) -> tuple[Value, Value]:
    """``(m, n)`` with ``x = m 2**n`` and m between sqrt(1/2) and sqrt(2), x normal."""
    kind, shift = x.type, _MANTISSA[x.type]
    start = e.bits(e.constant(math.sqrt(0.5), kind))
    offset = e.bits(x) - start
    n = offset >> shift
    return e.from_bits(e.bits(x) - (n << shift)), n


def _log_of_split(e: Emitter, f: Value, n: Value, correction: Value | None) -> Value:
    """``log(1 + f) + n ln2 + correction``, with the small terms added first."""
    high, low = _LN2[f.type]
    n_float = e.convert("sitofp", n, f.type)
    half_square = f * f * 0.5
    s = f / (f + 2.0)
    z = s * s
    tail = e.horner(z, LOG[f.type]) * z
    rest = n_float * low if correction is None else e.fma(n_float, low, correction)
    small = e.fma(s, half_square + tail, rest)
    return e.fma(n_float, high, f - (half_square - small))


def log(e: Emitter, x: Value) -> Value:
    kind = x.type
    tiny = x.compare("olt", _SMALLEST_NORMAL[kind])
    scale = _MANTISSA[kind] + 2
    m, n = _split(e, tiny.select(x * 2.0**scale, x))
    n = tiny.select(n - scale, n)
    return _log_special(x, _log_of_split(e, m - 1.0, n, None))


def _log_special(x: Value, result: Value) -> Value:
    """The values of log outside of the positive finite numbers."""
    result = x.compare("oeq", math.inf).select(x, result)
    result = x.compare("oeq", 0.0).select(-math.inf, result)
    return x.compare("uge", 0.0).select(
        x.compare("uno", 0.0).select(x, result), math.nan
    )


def log1p(e: Emitter, x: Value) -> Value:
    u = x + 1.0
    m, n = _split(e, u)
    lost = u.compare("ogt", 2.0).select(1.0 - (u - x), x - (u - 1.0))
    zero = n.compare("eq", 0)
    f = zero.select(x, m - 1.0)
    correction = zero.select(0.0, lost / u)
    result = _log_special(u, _log_of_split(e, f, n, correction))
    return x.compare("oeq", 0.0).select(x, result)


def tanh(e: Emitter, x: Value) -> Value:
    size = absolute(e, x)
    z = size * size
    small = e.fma(size * z, e.horner(z, TANH[x.type]), size)
    big = 1.0 - 2.0 / (exp(e, size + size) + 1.0)
    return copysign(e, size.compare("olt", 0.6).select(small, big), x)


def sigmoid(e: Emitter, x: Value) -> Value:
    small = exp(e, -absolute(e, x), exactly=True)
    numerator = x.compare("oge", 0.0).select(1.0, small)
    divisor = small + 1.0
    lost = small - (divisor - 1.0)
    inverse = 1.0 / divisor
    result = numerator * inverse
    error = e.fma(-result, lost, e.fma(-result, divisor, numerator))
    return e.fma(error, inverse, result)


def erf(e: Emitter, x: Value) -> Value:
    kind = x.type
    size = absolute(e, x)
    small = e.fma(size, e.horner(size * size, ERF[kind]), size)
    bounded = _clamp(size, 0.0, 4.0 if kind == "float" else 6.0)
    big = 1.0 - exp(e, e.horner(bounded, LOG_ERFC[kind]))
    return copysign(e, size.compare("olt", 0.92).select(small, big), x)


def sqrt(e: Emitter, x: Value) -> Value:
    return e.call("llvm.sqrt", [x])


def rsqrt(e: Emitter, x: Value) -> Value:
    return 1.0 / sqrt(e, x)


_HALF_PI = (  # pi / 2 in three parts; the first two leave products with n exact
    1.57079632679489661923,
    6.12323399573676588613e-17,
    -1.49738490485916983e-33,
)
LARGEST_ANGLE = 2.0**28  # beyond, more bits of pi are needed than are here


def sin(e: Emitter, x: Value) -> Value:
    return _call_sine(e, x, "sin")


def cos(e: Emitter, x: Value) -> Value:
    return _call_sine(e, x, "cos")


def _call_sine(e: Emitter, x: Value, name: str) -> Value:
    """Call a function that branches to the C library for large angles.

    The vectoriser cannot see through the branch; so the call names vector variants of
    the function, which it uses instead.
    """
    kind = x.type
    scalar = f"wengert_{name}_{kind}"
    variants = []
    for lanes in (1, 4, 8, 16):
        function = scalar if lanes == 1 else f"{scalar}_{lanes}"
        text, declared = _sine_function(function, name, kind, lanes)
        e.declared |= {text, *declared}
        if lanes > 1:
            variants.append(f"_ZGV_LLVM_N{lanes}v_{scalar}({function})")
    mapping = ",".join(variants)
    call = f"call {kind} @{scalar}({kind} {x.text})"
    return e.op(f'{call} "vector-function-abi-variant"="{mapping}"', kind)


@functools.cache
def _sine_function(
    function: str, name: str, kind: str, lanes: int
) -> tuple[str, frozenset[str]]:
    """The function's definition, and what it needs to have declared."""
    e = Emitter(lanes)
    vector = e.spell(kind)
    x = Value(e, "%x", kind)
    quick = _sine(e, x, 1 if name == "cos" else 0)
    large = absolute(e, x).compare("ogt", LARGEST_ANGLE)
    libm = f"@llvm.{name}.{suffix(kind)}"
    e.declared.add(f"declare {kind} {libm}({kind})")
    head = (
        f"define {vector} @{function}({vector} %x)"
        " noinline nounwind willreturn memory(none) {\nentry:"
    )
    if lanes == 1:
        tail = f"""  br i1 {large.text}, label %slow, label %done
slow:
  %exact = call {kind} {libm}({kind} %x)
  br label %done
done:
  %result = phi {kind} [ {quick.text}, %entry ], [ %exact, %slow ]
  ret {kind} %result
}}"""
    else:
        reduce = f"@llvm.vector.reduce.or.v{lanes}i1"
        e.declared.add(f"declare i1 {reduce}(<{lanes} x i1>)")
        tail = f"""  %any = call i1 {reduce}(<{lanes} x i1> {large.text})
  br i1 %any, label %slow, label %done
slow:
  %i = phi i64 [ 0, %entry ], [ %i1, %slow ]
  %part = phi {vector} [ {quick.text}, %entry ], [ %exact, %slow ]
  %angle = extractelement {vector} %x, i64 %i
  %one = call {kind} {libm}({kind} %angle)
  %exact = insertelement {vector} %part, {kind} %one, i64 %i
  %i1 = add i64 %i, 1
  %more = icmp ult i64 %i1, {lanes}
  br i1 %more, label %slow, label %mixed
mixed:
  %chosen = select <{lanes} x i1> {large.text}, {vector} %exact, {vector} {quick.text}
  br label %done
done:
  %result = phi {vector} [ {quick.text}, %entry ], [ %chosen, %mixed ]
  ret {vector} %result
}}"""
    return "\n".join([head, *e.lines, tail]), frozenset(e.declared)


def _sine(e: Emitter, x: Value, quarter_turns: int) -> Value:
    """``sin(x + quarter_turns pi / 2)``; floats are reduced as doubles."""
    kind = x.type
    wide = e.convert("fpext", x, "double") if kind == "float" else x
    n_float, n = _nearest_multiple(e, wide, 2 / math.pi)
    r = e.fma(n_float, -_HALF_PI[0], wide)
    if kind == "float":
        r = e.convert("fptrunc", e.fma(n_float, -_HALF_PI[1], r), "float")
        tail = None
    else:
        r, tail = _subtract_product(e, r, n_float)
    n = n + quarter_turns
    z = r * r
    sine = e.horner(z, SIN[kind]) * z
    sine = e.fma(r, sine, r) if tail is None else r + e.fma(r, sine, tail)
    cosine = e.fma(z * z, e.horner(z, COS[kind]), 0.0)
    half_z = z * 0.5
    top = 1.0 - half_z
    cosine = cosine if tail is None else e.fma(-r, tail, cosine)
    cosine = top + (((1.0 - top) - half_z) + cosine)
    odd = (n & 1).compare("ne", 0)
    result = odd.select(cosine, sine)
    result = (n & 2).compare("ne", 0).select(-result, result)
    if quarter_turns == 0:
        result = x.compare("oeq", 0.0).select(x, result)
    return result


def _subtract_product(e: Emitter, r: Value, n: Value) -> tuple[Value, Value]:
    """``r - n pi/2's second and third part`` as a sum of two doubles."""
    product = n * _HALF_PI[1]
    error = e.fma(n, _HALF_PI[1], -product)
    head = r - product
    tail = ((r - head) - product) - error
    tail = e.fma(n, -_HALF_PI[2], tail)
    total = head + tail
    return total, (head - total) + tail


def power(e: Emitter, x: Value, y: Value) -> Value:
    """``x**y`` as C's pow: exp(y log|x|) with the product kept in two parts."""
    kind = x.type
    size = absolute(e, x)
    if kind == "float":
        wide, exponent = (e.convert("fpext", v, "double") for v in (size, y))
        result = e.convert("fptrunc", exp(e, exponent * log(e, wide)), "float")
    else:
        result = _power_double(e, size, y)
    return _power_special(e, x, y, size, result)


def _two_product(e: Emitter, a: Value, b: Value) -> tuple[Value, Value]:
    high = a * b
    return high, e.fma(a, b, -high)


def _power_double(e: Emitter, size: Value, y: Value) -> Value:
    high, low = _log_in_two_parts(e, size)
    big = _clamp(y, -1e300, 1e300)
    product = big * high
    error = e.fma(big, low, e.fma(big, high, -product))
    bounded = _clamp(product, -750.0, 720.0)
    error = product.compare("oeq", bounded).select(error, 0.0)
    result = exp(e, bounded)
    finite = result.compare("olt", math.inf)
    return finite.select(e.fma(result, error, result), result)


def _log_in_two_parts(e: Emitter, x: Value) -> tuple[Value, Value]:
    """log(x) with about 70 bits, for x > 0."""
    tiny = x.compare("olt", _SMALLEST_NORMAL["double"])
    m, n = _split(e, tiny.select(x * 2.0**54, x))
    n = tiny.select(n - 54, n)
    n_float = e.convert("sitofp", n, "double")
    f, g = m - 1.0, m + 1.0
    g_low = m - (g - 1.0)
    s = f / g
    s_low = (e.fma(-s, g, f) - s * g_low) / g
    z = s * s
    z_low = e.fma(s, s, -z) + s * s_low * 2.0
    # 2 s + s z (2/3 + z tail): the first two terms in two parts
    tail = e.horner(z, LOG_TAIL)
    third = 2.0 / 3.0
    third_low = 2.0 / 3.0 - third + 3.7007434154171886e-17
    inner, inner_low = _two_product(e, z, e.constant(third, "double"))
    inner_low = inner_low + z_low * third + z * third_low + z * z * tail
    cubic, cubic_low = _two_product(e, s, inner)
    cubic_low = cubic_low + s * inner_low + s_low * inner
    high, low = _LN2["double"]
    parts = [
        (n_float * high, n_float * low),
        (s * 2.0, s_low * 2.0),
        (cubic, cubic_low),
    ]
    total, rest = parts[0]
    for term, term_low in parts[1:]:
        total, error = _two_sum(total, term)
        rest = rest + error + term_low
    result = total + rest
    return result, (total - result) + rest


def _two_sum(a: Value, b: Value) -> tuple[Value, Value]:
    total = a + b
    other = total - a
    return total, (a - (total - other)) + (b - other)


def _power_special(e: Emitter, x: Value, y: Value, size: Value, result: Value) -> Value:
    """Pow's table of special cases, the most special last."""
    inf = math.inf
    positive = y.compare("ogt", 0.0)
    result = size.compare("oeq", 0.0).select(
        positive.select(e.constant(0.0, x.type), inf), result
    )
    result = size.compare("oeq", inf).select(
        positive.select(e.constant(inf, x.type), 0.0), result
    )
    infinite_y = absolute(e, y).compare("oeq", inf)
    grows = size.compare("ogt", 1.0) ^ y.compare("olt", 0.0)
    limit = grows.select(e.constant(inf, x.type), 0.0)
    result = infinite_y.select(size.compare("oeq", 1.0).select(1.0, limit), result)
    whole = e.call("llvm.trunc", [y]).compare("oeq", y)
    half = y * 0.5
    odd = whole & e.call("llvm.trunc", [half]).compare("one", half)
    negative = e.bits(x).compare("slt", 0)
    result = (negative & odd).select(-result, result)
    invalid = x.compare("olt", 0.0) & (whole ^ True) & size.compare("one", inf)
    result = invalid.select(math.nan, result)
    missing = x.compare("uno", y)
    result = missing.select(x + y, result)
    one = x.compare("oeq", 1.0) | y.compare("oeq", 0.0)
    return one.select(1.0, result)
