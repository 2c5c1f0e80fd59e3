"""The precision that fused computations use inside."""

from __future__ import annotations

import numpy as np
from numpy import ndarray


def widened(array: ndarray) -> ndarray:
    """float16 as float32, in which it is computed; any other array as it is."""
    return array.astype(np.float32) if array.dtype.char == "e" else array
