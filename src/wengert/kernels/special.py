"""Error functions and Bessel functions of arrays, without SciPy.

float64 is accurate to a few units in the last place, float32 to about two. The
coefficients are those of Chebyshev expansions of the functions named beside them, with
50 digits, rewritten as powers; those for float32 minimise the relative error.
"""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from .polynomial import Polynomial, blockwise

# fmt: off

# erf(x) / x over x² in [0, 1]: powers of 2 x² - 1
ERF_INNER = Polynomial(
    0.9654687386698673, -0.1405360890227171, 0.019852496688983708,
    -0.0022854855611441132, 0.00021751715604160108, -1.7537169441124826e-05,
    1.223382738352401e-06, -7.51156928660089e-08, 4.11580059766496e-09,
    -2.035228404899467e-10, 9.167606746069445e-12, -3.8078827395263415e-13,
    1.454817075960679e-14,
)

# (1 + 2 x) exp(x²) erfc(x) over x in [0, ∞): powers of (x - 3) / (x + 3)
ERFC_SCALED = Polynomial(
    1.2530080582697296, -0.1356211061245812, -0.04756229435345109, 0.12964515870276475,
    -0.11927366341528023, 0.06830802734384515, -0.023770514919506852,
    0.0025293918180474668, 0.0018886903716907627, -0.0007798322884823084,
    -0.00010515990108729849, 0.0001250994355712812, 4.949988662264347e-06,
    -2.0100843094844725e-05, -7.33143259743597e-07, 3.473024167841533e-06,
    3.603910925712771e-07, -6.175617678992323e-07, -1.4683175494120584e-07,
    1.0277997488271058e-07, 4.6950946691614734e-08, -1.3906145791730994e-08,
    -1.1734464137789657e-08, 1.2019719440135793e-09, 2.0626322959832455e-09,
    -3.451497487664328e-11, -1.881936630944858e-10,
)

# artanh(erf(x)) / x - 1 over x² in [0, 15.4], after which tanh of it times x is 1
ERF_SINGLE = Polynomial(
    1.1283791780500927 - 1, 0.10277217950421609, -0.00020673482102267457,
    -0.0005951489561708034, 6.91776595072009e-05, 1.3938216051436685e-06,
    -1.306277950708669e-06, 1.585874238524434e-07, -8.64220904195109e-09,
    1.8360661181594627e-10,
)

# exp(-x) I(x), for I1 also / x, over x in [0, 8]: powers of x / 4 - 1
I0_INNER = Polynomial(
    0.2070019212239867, -0.11300432688620549, 0.09451562853995103,
    -0.08904344136075962, 0.08734341617552313, -0.08496338091616305,
    0.07927522590716347, -0.06954119561719381, 0.05677703201991695,
    -0.04298594945479612, 0.030177912022978357, -0.01968265469059234,
    0.011960077907026221, -0.0067923998730731695, 0.003617126448897043,
    -0.001811886793937724, 0.0008563152748272306, -0.00038290209550065975,
    0.00016240542162878106, -6.550861389620851e-05, 2.520232727107692e-05,
    -9.251680584432654e-06, 3.2293390826404927e-06, -1.0883393970072518e-06,
    3.675842926555429e-07, -1.1384114641747256e-07, 2.6265363151970112e-08,
    -7.723094556846333e-09, 4.470516727511741e-09, -1.1852342482684723e-09,
)
I1_INNER = Polynomial(
    0.044687709875608835, -0.06112433802966629, 0.0680575999095116,
    -0.06848260620582547, 0.06376740371340721, -0.055280039227051464,
    0.04467457262125467, -0.03367135551992323, 0.023686016957729535,
    -0.015571309256763564, 0.009583962150731578, -0.00553456775924123,
    0.0030057624197775295, -0.0015388749696724586, 0.0007445123445061157,
    -0.00034117472445271377, 0.0001484212433475852, -6.142655719704761e-05,
    2.4233753149624307e-05, -9.131775730568571e-06, 3.293899139003749e-06,
    -1.1381566323785447e-06, 3.759367306404118e-07, -1.1993980285486188e-07,
    3.802984785138283e-08, -1.1224475126135595e-08, 2.603206542331157e-09,
    -7.277033556073836e-10, 3.7284532079392345e-10, -9.506861180736366e-11,
)
# √x exp(-x) I(x) over x in [8, ∞): powers of 16 / x - 1
I0_OUTER = Polynomial(
    0.4021765094450081, 0.0033605519836678614, 0.0001362160743919305,
    1.1143033790932038e-05, 1.4838475658279249e-06, 2.9735985885673923e-07,
    8.872219737904054e-08, 3.932584334552952e-08, 2.1548377974791598e-08,
    7.554691881248808e-09, -6.747657956107524e-09, -1.340891754008974e-08,
    -5.404771567579958e-09, 7.552583062123384e-09, 7.430464650325426e-09,
    -3.505966530879332e-09, -5.95356943826489e-09, 1.5200816953924232e-09,
    3.6379546359011143e-09, -5.715843864202709e-10, -1.618980683624682e-09,
    1.5279202694981569e-10, 4.577087631643623e-10, -2.0260604287413626e-11,
    -6.067631570603006e-11,
)
I1_OUTER = Polynomial(
    0.38939845902587233, -0.009749577193235737, -0.00021923576383388928,
    -1.5038547200567216e-05, -1.8349101326980946e-06, -3.483855761044295e-07,
    -1.0001288294864884e-07, -4.312917729178349e-08, -2.337392820814264e-08,
    -8.427766093735185e-09, 6.734464815301592e-09, 1.4034238782067183e-08,
    5.974437608040264e-09, -7.64239413436356e-09, -7.888351507862078e-09,
    3.4262341490077958e-09, 6.242741219786445e-09, -1.4387250533041013e-09,
    -3.794670896208339e-09, 5.295625441161261e-10, 1.6848984479705146e-09,
    -1.4011625179770627e-10, -4.758818838703853e-10, 1.8515118828852956e-11,
    6.305965197150057e-11,
)
# fmt: on


@blockwise(single=True)
def erf(x: ndarray) -> ndarray:
    """The error function, 2/√π ∫ exp(-t²) dt from 0 to x."""
    return erf_single(x) if x.dtype == np.float32 else erf_double(x)


def erf_single(x: ndarray) -> ndarray:
    """Compute erf of a flat float32 array, as tanh of a polynomial.

    The polynomial's first term is x itself, added last, so that nothing is lost near 0.
    """
    square = np.minimum(x * x, np.float32(15.4))
    argument = ERF_SINGLE(square)
    argument *= x
    argument += x
    np.tanh(argument, out=argument)
    return argument


def erf_double(x: ndarray) -> ndarray:
    """Compute erf of a flat float64 array."""
    size = np.abs(x)
    outer = np.copysign(1 - _erfc_positive(size), x)
    result: ndarray = np.where(size < 1, _erf_inner(x), outer)
    return result


def _erf_inner(x: ndarray) -> ndarray:
    """Compute erf of a flat array of numbers between -1 and 1."""
    variable = np.minimum(x * x, 1)
    variable *= 2
    variable -= 1
    result = ERF_INNER(variable)
    result *= x
    return result


def _erfc_positive(x: ndarray) -> ndarray:
    """Compute erfc of a flat array of numbers that are not negative."""
    x = np.minimum(x, 30)  # beyond 27 it is 0
    result = ERFC_SCALED((x - 3) / (x + 3))
    result /= 1 + 2 * x
    # exp(-x²) with x = high + low, where high² is exact
    high = x * 134217729.0
    high -= high - x
    result *= np.exp(-high * high)
    low = (high - x) * (high + x)
    return result + result * (low + low * low / 2)


@blockwise()
def erfc(x: ndarray) -> ndarray:
    """The complementary error function, 1 - erf(x), also where that is tiny."""
    positive = _erfc_positive(np.abs(x))
    result: ndarray = np.where(x < 0, 2 - positive, positive)
    return result


@blockwise()
def erfinv(x: ndarray) -> ndarray:
    """The inverse of erf on (-1, 1): a guess, improved by two steps of Halley's."""
    size = np.abs(x)
    # S. Winitzki's approximation of 2008, to two thousandths
    log = np.log1p(-size * size)
    middle = 2 / (np.pi * 0.147) + log / 2
    guess = np.sqrt(np.sqrt(middle * middle - log / 0.147) - middle)
    for _ in range(2):
        # 1 - size is exact where it is small, and then so is the difference
        near = _erf_inner(guess) - size
        far = (1 - size) - _erfc_positive(guess)
        error = np.where(size < 0.5, near, far) * np.exp(guess * guess)
        error *= np.sqrt(np.pi) / 2
        guess -= error / (1 + guess * error)
    guess = np.where(size < 1, guess, np.where(size == 1, np.inf, np.nan))
    result: ndarray = np.copysign(guess, x)
    return result


def _scaled_i0(x: ndarray) -> ndarray:
    """exp(-x) I₀(x) of numbers that are not negative."""
    far = np.maximum(x, 8)
    outer = I0_OUTER(16 / far - 1) / np.sqrt(far)
    result: ndarray = np.where(x < 8, I0_INNER(np.minimum(x, 8) / 4 - 1), outer)
    return result


def _scaled_i1(x: ndarray) -> ndarray:
    """exp(-x) I₁(x) of numbers that are not negative."""
    far = np.maximum(x, 8)
    outer = I1_OUTER(16 / far - 1) / np.sqrt(far)
    result: ndarray = np.where(x < 8, x * I1_INNER(np.minimum(x, 8) / 4 - 1), outer)
    return result


def _times_exp(scaled: ndarray, x: ndarray) -> ndarray:
    """The product with exp(x), which may be finite where exp(x) is not."""
    root = np.exp(x / 2)
    return scaled * root * root


@blockwise()
def i0e(x: ndarray) -> ndarray:
    """The modified Bessel function I₀, times exp(-|x|)."""
    return _scaled_i0(np.abs(x))


@blockwise()
def i1e(x: ndarray) -> ndarray:
    """The modified Bessel function I₁, times exp(-|x|)."""
    return np.copysign(_scaled_i1(np.abs(x)), x)


@blockwise()
def i0(x: ndarray) -> ndarray:
    """The modified Bessel function I₀."""
    size = np.abs(x)
    return _times_exp(_scaled_i0(size), size)


@blockwise()
def i1(x: ndarray) -> ndarray:
    """The modified Bessel function I₁."""
    size = np.abs(x)
    return np.copysign(_times_exp(_scaled_i1(size), size), x)
