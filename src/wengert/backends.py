"""`torch.backends`: what can be asked and set of libraries that are not here.

Programs set flags such as ``torch.backends.cudnn.benchmark = True``; they are kept, and
have no effect.
"""

from __future__ import annotations

from types import SimpleNamespace


class Backend(SimpleNamespace):
    """A library that computes elsewhere, with its flags."""

    def is_available(self) -> bool:
        """Whether it can be used: no."""
        return False

    def is_built(self) -> bool:
        """Whether it was built in: no."""
        return False


cudnn = Backend(enabled=False, benchmark=False, deterministic=False, allow_tf32=True)
mps = Backend()
mkldnn = Backend(enabled=False)
cuda = Backend(matmul=SimpleNamespace(allow_tf32=False))
