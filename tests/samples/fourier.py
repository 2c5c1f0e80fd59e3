"""Samples of Fourier transforms."""

from __future__ import annotations

from typing import Any

from . import Sample

COMPLEX = ("fft", "ifft")
TO_REAL = ("irfft", "hfft")
FROM_REAL = ("rfft", "ihfft")


def fourier(name: str, shape: tuple[int, ...], **kwargs: Any) -> Sample:
    """Return a sample of a function of ``torch.fft``."""
    kind = name.rstrip("2n")
    label = "_".join([name, *map(str, shape), *[f"{k}={v}" for k, v in kwargs.items()]])
    return Sample(
        label,
        lambda t, x: getattr(t.fft, name)(x, **kwargs),
        [shape],
        dtypes="fib" if kind in FROM_REAL else "fibc",
        tolerance=10,
    )


NAMES = (*COMPLEX, *TO_REAL, *FROM_REAL)
ONE = [
    sample
    for name in NAMES
    for sample in (
        fourier(name, (3, 6)),
        fourier(name, (3, 5), norm="ortho"),
        fourier(name, (5, 2), n=4, dim=0, norm="forward"),
        fourier(name, (5, 2), n=7, dim=-2, norm="backward"),
    )
]
SEVERAL = [
    sample
    for name in NAMES
    for sample in (
        fourier(f"{name}2", (2, 4, 5)),
        fourier(f"{name}2", (4, 3), s=(3, 6), norm="ortho"),
        fourier(f"{name}n", (2, 3, 4)),
        fourier(f"{name}n", (3, 2, 5), s=(4, -1), dim=(0, 2), norm="forward"),
        fourier(f"{name}n", (3, 5), dim=(1,)),
    )
]


def spectra(t: Any, x: Any, **kwargs: Any) -> Any:
    return t.stft(x, 8, window=window(t, x), return_complex=True, **kwargs)


def window(t: Any, x: Any, size: int = 8) -> Any:
    kind = x.real.dtype if x.is_complex() else x.dtype
    return t.hann_window(size, dtype=kind)


def signal(t: Any, x: Any, **kwargs: Any) -> Any:
    return t.istft(x, 8, window=window(t, x), **kwargs)


def stretches(*args: Any, **settings: Any) -> Sample:
    """Return a sample whose last node is not looked at."""
    return Sample(*args, **settings, grad_fn=False)


STRETCHES = [
    stretches("stft", spectra, [(2, 20)], dtypes="fc"),
    stretches("stft_one", lambda t, x: spectra(t, x, normalized=True), [(20,)]),
    stretches("stft_whole", lambda t, x: spectra(t, x, onesided=False), [(20,)]),
    stretches(
        "stft_uncentered",
        lambda t, x: x.stft(
            8, 3, 5, t.ones(5, dtype=x.dtype), center=False, return_complex=True
        ),
        [(2, 20)],
    ),
    stretches(
        "stft_aligned",
        lambda t, x: t.stft(
            *(x, 8, 3, 4, t.ones(4, dtype=x.dtype)),
            center=False,
            align_to_window=True,
            return_complex=True,
        ),
        [(2, 20)],
    ),
    stretches(
        "stft_padded", lambda t, x: spectra(t, x, pad_mode="constant"), [(2, 20)]
    ),
    stretches("istft", signal, [(2, 5, 6)], dtypes="c"),
    stretches(
        "istft_length", lambda t, x: signal(t, x, length=9), [(5, 6)], dtypes="c"
    ),
    stretches("istft_whole", signal, [(8, 6)], dtypes="c"),
    stretches(
        "istft_complex",
        lambda t, x: signal(t, x, onesided=False, return_complex=True),
        [(2, 8, 6)],
        dtypes="c",
    ),
    stretches("istft_of_stft", lambda t, x: signal(t, spectra(t, x)), [(2, 20)]),
]
SHIFTS = [
    Sample(f"{name}_{kwargs}", lambda t, x, f=name, k=kwargs: getattr(t.fft, f)(x, **k))
    for name in ("fftshift", "ifftshift")
    for kwargs in ({}, {"dim": 1}, {"dim": (0, -1)})
]

SAMPLES = [*ONE, *SEVERAL, *STRETCHES, *SHIFTS]
