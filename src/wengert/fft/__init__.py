"""Fourier transforms: `torch.fft`.

>>> import wengert as torch
>>> torch.fft.rfft(torch.tensor([1.0, 0.0, 0.0, 0.0]))
tensor([1.+0.j, 1.+0.j, 1.+0.j])
"""

from ..ops.fourier import functions as _functions

globals().update(_functions)
