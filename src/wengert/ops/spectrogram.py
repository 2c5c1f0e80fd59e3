"""Spectra of short stretches of a signal, and the signal that has such spectra."""

from __future__ import annotations

import warnings
from typing import Any

from ..primitives import complex as C, fourier as P
from ..primitives.strided import unfold_backward
from ..tensor import Tensor
from .fourier import normalization, of_complex
from .padding import constant_pad_nd, pad
from .public import check_operand, op

NO_WINDOW = (
    "A window was not provided. A rectangular window will be applied,which is known to "
    "cause spectral leakage. Other windows such as torch.hann_window or "
    "torch.hamming_window are recommended to reduce spectral leakage.To suppress this "
    "warning and use a rectangular window, explicitly set `window=torch.ones(n_fft, "
    "device=<device>)`."
)
NO_WINDOW_OF_INVERSE = (
    "A window was not provided. A rectangular window will be applied.Please provide "
    "the same window used by stft to make the inversion lossless.To suppress this "
    "warning and use a rectangular window, explicitly set `window=torch.ones(n_fft, "
    "device=<device>)`."
)
TOO_SHORT = (
    "The length of signal is shorter than the length parameter. Result is being padded "
    "with zeros in the tail. Please check your center and hop_length settings."
)
PARTS = (
    "stft with return_complex=False is deprecated. In a future pytorch release, stft "
    "will return complex tensors for all inputs, and return_complex=False will raise "
    "an error."
)


@op(out=False)
def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """Return the spectra of overlapping stretches of signals.

    Args:
        input: a signal, or a batch of them.
        n_fft: the length of a stretch.
        hop_length: from one to the next, a quarter of that by default.
        win_length: the length of the window, `n_fft` by default.
        window: what each stretch is multiplied with.
        center: let the stretches begin before the signal, so that each is centered at
            its element; `pad_mode` says what is there.
        pad_mode: see `torch.nn.functional.pad`.
        normalized: divide by the root of `n_fft`.
        onesided: return half of the spectra, as is enough of real signals.
        return_complex: return complex numbers, not pairs of real ones.
        align_to_window: let the first stretch begin where the window does.

    Returns:
        A tensor of frequencies and stretches.

    >>> import wengert as torch
    >>> signal, window = torch.ones(16), torch.hann_window(8)
    >>> torch.stft(signal, 8, window=window, return_complex=True).shape
    torch.Size([5, 9])
    """
    check_operand("stft", "input", 0, input)
    if center:
        if align_to_window is not None:
            raise RuntimeError(
                "stft align_to_window should only be set when center = false"
            )
        input = extended(input, n_fft // 2, pad_mode)
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    is_complex = input.dtype.is_complex or (
        window is not None and window.dtype.is_complex
    )
    names = ("normalized", "onesided", "return_complex", "align_to_window")
    kind = f"torch.{input.dtype.scalar_type}Tensor{list(input.shape)}"
    call = (
        f"stft({kind}, {options(locals(), 'n_fft', 'hop', 'width', 'window', *names)})"
    )
    check_stft(input, n_fft, hop, width, window, call)
    if return_complex is None and not is_complex:
        raise RuntimeError(
            "stft requires the return_complex parameter be given for real inputs, and "
            "will further require that return_complex=True in a future PyTorch release."
        )
    if align_to_window:
        input = constant_pad_nd(input, around(n_fft, width))
    stretches = windowed(input.unfold(-1, n_fft, hop), window, n_fft, width)
    found = spectra(stretches, normalized, onesided).mT
    if return_complex or return_complex is None:
        return found
    warnings.warn(PARTS, UserWarning, stacklevel=2)
    pairs: Tensor = C.view_as_real(found)
    return pairs


def extended(input: Tensor, margin: int, mode: str) -> Tensor:
    """Return signals that begin earlier and end later."""
    shape = (1,) * (3 - len(input.shape)) + tuple(input.shape)
    wide = pad(input.reshape(shape), (margin, margin), mode)
    result: Tensor = wide.reshape((*input.shape[:-1], wide.shape[-1]))
    return result


def around(n_fft: int, width: int) -> tuple[int, int]:
    """Return what a stretch has before and after the window."""
    before = (n_fft - width) // 2
    return before, n_fft - width - before


def windowed(
    stretches: Tensor, window: Tensor | None, n_fft: int, width: int
) -> Tensor:
    """Multiply stretches with the window, which lies in their middle."""
    if window is None:
        warnings.warn(NO_WINDOW, UserWarning, stacklevel=3)
        if width == n_fft:
            return stretches
        window = stretches.new_ones(width)
    return stretches * constant_pad_nd(window, around(n_fft, width))


def spectra(stretches: Tensor, normalized: bool, onesided: bool | None) -> Tensor:
    """Return the spectra of stretches, the last dimension."""
    by = 1 if normalized else 0
    last = (len(stretches.shape) - 1,)
    if stretches.dtype.is_complex:
        if onesided:
            raise RuntimeError(
                "Cannot have onesided output if window or input is complex"
            )
        return of_complex(stretches, last, by, True)
    half = onesided is None or onesided
    result: Tensor = P.fft_r2c(stretches, dim=last, normalization=by, onesided=half)
    return result


def check_stft(
    input: Tensor, n_fft: int, hop: int, width: int, window: Tensor | None, call: str
) -> None:
    """Refuse what there are no spectra of."""
    if not (input.dtype.is_floating_point or input.dtype.is_complex):
        wrong = "expected a tensor of floating point or complex values"
    elif len(input.shape) not in (1, 2):
        wrong = "expected a 1D or 2D tensor"
    else:
        wrong = wrong_sizes(n_fft, hop, width, window, input.shape[-1])
    if wrong:
        raise RuntimeError(f"{call} : {wrong}")


def wrong_sizes(
    n_fft: int, hop: int, width: int, window: Tensor | None, length: int
) -> str:
    """Return what is wrong with the sizes, if anything is."""
    if not 0 < n_fft <= length:
        return f"expected 0 < n_fft < {length}, but got n_fft={n_fft}"
    if hop <= 0:
        return f"expected hop_length > 0, but got hop_length={hop}"
    if not 0 < width <= n_fft:
        return f"expected 0 < win_length <= n_fft, but got win_length={width}"
    if window is not None and tuple(window.shape) != (width,):
        return (
            f"expected a 1D window tensor of size equal to win_length={width}, but got "
            f"window with size {list(window.shape)}"
        )
    return ""


SHOWN = {"hop": "hop_length", "width": "win_length"}


def options(given: dict[str, Any], *names: str) -> str:
    """Return arguments as PyTorch's messages show them."""
    return ", ".join([f"{SHOWN.get(n, n)}={shown(given[n])}" for n in names])


def shown(value: Any) -> str:
    """Return an argument as messages show it."""
    if isinstance(value, Tensor):
        return f"torch.{value.dtype.scalar_type}Tensor{{{list(value.shape)}}}"
    return str(value if value is None else int(value))


@op(out=False)
def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """Return the signals that have spectra of short stretches: the inverse of `stft`.

    Args:
        input: what `stft` returns; the other arguments are those of `stft`.
        length: the length of the signal, if it is known.

    >>> import wengert as torch
    >>> signal, window = torch.arange(16.0), torch.hann_window(8)
    >>> spectra = torch.stft(signal, 8, window=window, return_complex=True)
    >>> torch.istft(spectra, 8, window=window).shape
    torch.Size([16])
    """
    if not input.dtype.is_complex:
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from "
            "stft with return_complex=True."
        )
    hop = n_fft // 4 if hop_length is None else hop_length
    width = n_fft if win_length is None else win_length
    names = ("center", "normalized", "onesided", "length", "return_complex")
    kind = f"CPU{input.dtype.scalar_type}Type{list(input.shape)}"
    call = (
        f"istft({kind}, {options(locals(), 'n_fft', 'hop', 'width', 'window', *names)})"
    )
    half = input.size(-2) != n_fft if onesided is None else onesided
    check_istft(input, n_fft, hop, width, window, half, call)
    if window is None:
        warnings.warn(NO_WINDOW_OF_INVERSE, UserWarning, stacklevel=2)
        window = input.real.new_ones(width)
    stretches = of_spectra(input.mT, n_fft, normalized, half, return_complex, window)
    window = constant_pad_nd(window, around(n_fft, width))
    total = n_fft + hop * (input.shape[-1] - 1)
    signal = overlapped(stretches * window, total, n_fft, hop)
    squares = (window**2).expand((input.shape[-1], n_fft))
    envelope = overlapped(squares, total, n_fft, hop)
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - start
    envelope = envelope[start:end]
    lowest = envelope.abs().min().item()
    if not lowest > 1e-11:
        raise RuntimeError(f"{call} window overlap add min: 1")
    signal = signal[..., start:end] / envelope
    if end <= total:
        return signal
    warnings.warn(TOO_SHORT, UserWarning, stacklevel=2)
    return constant_pad_nd(signal, (0, end - total))


def of_spectra(
    input: Tensor,
    n_fft: int,
    normalized: bool,
    onesided: bool,
    return_complex: bool,
    window: Tensor,
) -> Tensor:
    """Return the stretches that have spectra, the last dimension."""
    by = normalization("ortho" if normalized else None, False)
    last = (len(input.shape) - 1,)
    if return_complex:
        if onesided:
            raise RuntimeError(
                "Cannot have onesided output if window or input is complex"
            )
        return of_complex(input, last, by, False)
    if window.dtype.is_complex:
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    if not onesided:
        input = input[..., : n_fft // 2 + 1]
    result: Tensor = P.fft_c2r(input, dim=last, normalization=by, last_dim_size=n_fft)
    return result


def overlapped(stretches: Tensor, total: int, size: int, step: int) -> Tensor:
    """Return the sums of stretches at their places in a signal."""
    dim = len(stretches.shape) - 2
    shape = (*stretches.shape[:-2], total)
    result: Tensor = unfold_backward(
        stretches, shape=shape, dim=dim, size=size, step=step
    )
    return result


def check_istft(
    input: Tensor,
    n_fft: int,
    hop: int,
    width: int,
    window: Tensor | None,
    onesided: bool,
    call: str,
) -> None:
    """Refuse what are no spectra of short stretches."""
    wrong = ""
    half, have = n_fft // 2 + 1, input.size(-2)
    dimension = "expected the frequency dimension (3rd to the last) of the input tensor"
    if 0 in input.shape:
        wrong = "input tensor cannot be empty."
    elif len(input.shape) not in (2, 3):
        wrong = (
            f"expected a tensor with 3 or 4 dimensions, but got {len(input.shape) + 1}"
        )
    elif onesided and have != half:
        wrong = f"{dimension} to match n_fft / 2 + 1 when onesided=True, but got {have}"
    elif not onesided and have != n_fft:
        wrong = f"{dimension} to match n_fft when onesided=False, but got {have}"
    elif not 0 < hop <= width:
        wrong = "expected 0 < hop_length <= win_length"
    elif not 0 < width <= n_fft:
        wrong = "expected 0 < win_length <= n_fft"
    elif window is not None and tuple(window.shape) != (width,):
        wrong = "Invalid window shape. window has to be 1D and length of `win_length`"
    if wrong:
        raise RuntimeError(f"{call} : {wrong}")
