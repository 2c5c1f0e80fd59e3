"""Fourier transforms and windows: what they refuse, with PyTorch's words."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

import wengert

pytestmark = pytest.mark.filterwarnings("ignore")

# Expressions of x, float32 of shape (3, 4), z, the same as complex numbers, s, a signal
# of 20, S, its spectra of 8, and w, a window of 8.
SAME = """
torch.fft.fft([1])
torch.fft.fft(x[0, 0])
torch.fft.fft(x.half())
torch.fft.fft(x, norm='x')
torch.fft.fft(x, n=2.5)
torch.fft.fft(x, n=-1)
torch.fft.fft(x[:, :0])
torch.fft.fft(x.long())
torch.fft.fft2(x[0])
torch.fft.fftn(x, s=3)
torch.fft.fftn(x, dim=1)
torch.fft.fftn(x, dim=())
torch.fft.fftn(x, s=(2, 2, 2))
torch.fft.fftn(x, s=(2, 2), dim=(1,))
torch.fft.fftn(x, dim=(1, 1))
torch.fft.fftn(x[0, 0])
torch.fft.rfft(z)
torch.fft.rfft2(z)
torch.fft.ihfft(z)
torch.fft.ihfft2(z)
torch.fft.rfftn(x, dim=())
torch.fft.rfftn(x[0, 0])
torch.fft.irfftn(x[0, 0])
torch.fft.irfft(x, n=0)
torch.fft.irfft(x[:, :1])
torch.fft.irfftn(x, s=(2, -1))
torch.fft.hfft2(x[:, :1])
torch.fft.fftfreq(5, 2.0)
torch.fft.rfftfreq(6, 0.3)
torch.fft.rfftfreq(0)
torch.fft.fftfreq(5, 0)
torch.fft.fftfreq(-1)
torch.fft.fftfreq(4, dtype=torch.int64)
torch.fft.fftfreq(3, dtype=torch.float64, requires_grad=True)
torch.fft.fftshift([1])
torch.fft.fftshift(x[0, 0])
torch.stft(s, 8)
torch.stft(s.long(), 8, return_complex=True)
torch.stft(s[None, None], 8, return_complex=True)
torch.stft(s, 30, return_complex=True, center=False)
torch.stft(s, 8, 0, return_complex=True)
torch.stft(s, 8, 2, 9, return_complex=True)
torch.stft(s, 8, 2, 7, torch.ones(8), return_complex=True)
torch.stft(s * 1j, 8, return_complex=True, onesided=True)
torch.stft(s, 8, return_complex=True, align_to_window=True)
torch.stft(s, 8, 2, 6, return_complex=False)
torch.stft(s * (1 + 2j), 8, window=w)
torch.istft(S.real, 8)
torch.istft(S[:4], 8)
torch.istft(S, 8, 9)
torch.istft(S, 8, 2, 9)
torch.istft(S, 8, 2, 7, w)
torch.istft(S, 8, 2, return_complex=True, onesided=True)
torch.istft(S, 8, 2, window=w * 1j)
torch.istft(S[:, :0], 8)
torch.istft(S, 8, onesided=False)
torch.istft(S, 8, center=False, window=w)
torch.istft(S, 8, window=w, length=30)
"""


def outcome(expression: str, library: Any) -> Any:
    """Return the result, or the error and the first line of its message."""
    x = library.arange(12.0).reshape(3, 4)
    s, w = library.arange(20.0) ** 2 / 10, library.hann_window(8)
    S = library.stft(s, 8, window=w, return_complex=True)
    names = {"torch": library, "x": x, "z": x + 0j, "s": s, "S": S, "w": w}
    try:
        return eval(expression, names).detach().numpy()
    except Exception as error:
        return type(error), str(error).split("\n")[0]


@pytest.mark.parametrize("expression", SAME.strip().split("\n"))
def test_as_in_pytorch(expression: str) -> None:
    ours, theirs = outcome(expression, wengert), outcome(expression, torch)
    if isinstance(theirs, tuple):
        assert ours == theirs
    else:
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-4)


WINDOWS = """
bartlett(M, sym=sym)
blackman(M, sym=sym)
cosine(M, sym=sym)
exponential(M, sym=sym, tau=2.0)
exponential(M, sym=False, center=1.0)
gaussian(M, sym=sym, std=0.7)
general_cosine(M, sym=sym, a=[0.3, 0.4, 0.2])
general_hamming(M, sym=sym, alpha=0.6)
hamming(M, sym=sym)
hann(M, sym=sym)
kaiser(M, sym=sym, beta=3.0)
nuttall(M, sym=sym)
"""
REFUSED = """
hann(-1)
hann(3, dtype=torch.float16)
hann(3, layout=torch.sparse_coo)
exponential(3, tau=0)
exponential(3, center=1)
gaussian(3, std=0)
kaiser(3, beta=-1)
general_cosine(3, a=1)
general_cosine(3, a=[])
"""


@pytest.mark.parametrize("M", [0, 1, 2, 5, 8])
@pytest.mark.parametrize("sym", [True, False])
@pytest.mark.parametrize("expression", WINDOWS.strip().split("\n"))
def test_windows(expression: str, sym: bool, M: int) -> None:
    for dtype in ("float32", "float64"):
        ours, theirs = (
            eval(
                f"windows.{expression[:-1]}, dtype=dtype)",
                {"windows": library.signal.windows, "M": M, "sym": sym}
                | {"dtype": getattr(library, dtype)},
            ).numpy()
            for library in (wengert, torch)
        )
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("expression", REFUSED.strip().split("\n"))
def test_windows_refused(expression: str) -> None:
    raised = []
    for library in (wengert, torch):
        with pytest.raises((ValueError, TypeError)) as caught:
            eval(f"torch.signal.windows.{expression}", {"torch": library})
        raised.append((caught.type, str(caught.value)))
    assert raised[0] == raised[1]


def test_large_transforms_are_those_of_small_ones() -> None:
    """Large ones are left to SciPy where it is installed."""
    array = np.random.default_rng(0).standard_normal((8, 1024)).astype(np.float32)
    for name in ("fft", "rfft", "irfft", "fft2", "irfft2"):
        found = getattr(wengert.fft, name)(wengert.from_numpy(array))
        expected = getattr(torch.fft, name)(torch.from_numpy(array))
        assert str(found.dtype) == str(expected.dtype)
        np.testing.assert_allclose(
            found.numpy(), expected.numpy(), rtol=1e-3, atol=1e-3
        )


def test_a_missing_window_is_warned_of() -> None:
    signal = wengert.ones(20)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wengert.stft(signal, 8, return_complex=True)
    assert "A window was not provided" in str(caught[0].message)
