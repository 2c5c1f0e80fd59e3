"""`torch.save` and `torch.load`: tensors and containers of them in a file.

A file is a pickle. `load` only makes what a state dict is made of, unless it is told
that the file can be trusted: a pickle could otherwise run any code. Files of PyTorch
have another format and are refused.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import IO, Any

MAGIC = b"wengert 1\n"
SAFE = {
    ("collections", "OrderedDict"),
    ("collections", "defaultdict"),
    ("builtins", "set"),
    ("builtins", "complex"),
    ("builtins", "slice"),
    ("builtins", "bytearray"),
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("wengert.tensor", "Tensor"),
    ("wengert.tensor", "Parameter"),
    ("wengert.ops.conversion", "rebuild"),
    ("wengert.ops.conversion", "rebuild_view"),
    ("wengert.placement", "Size"),
    ("wengert.placement", "device"),
    ("wengert.placement", "_constant_named"),
}
"""What is made without asking. Names are whole: those of modules lead anywhere, as
``np.fromfile`` does from any module that has NumPy."""


class SafeUnpickler(pickle.Unpickler):
    """Makes tensors, arrays and containers, and refuses all else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names, if it is harmless."""
        if (module, name) in SAFE:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(
            f"the file asks for {module}.{name}, which is not a part of tensors and "
            "containers. If you trust whoever made the file, call load with "
            "weights_only=False, which can run any code."
        )


def opened(file: Any, mode: str) -> tuple[IO[bytes], bool]:
    """Return a file object, and whether it was opened here."""
    if hasattr(file, "read") or hasattr(file, "write"):
        return file, False
    return Path(file).open(mode), True


def save(obj: Any, f: Any, *args: Any, **kwargs: Any) -> None:
    """Write an object, such as a state dict, to a file.

    Args:
        obj: tensors, and whatever can be pickled.
        f: a path, or a file opened for writing bytes.

    >>> import io
    >>> import wengert as torch
    >>> file = io.BytesIO()
    >>> torch.save({"weight": torch.ones(2)}, file)
    >>> torch.load(io.BytesIO(file.getvalue()))
    {'weight': tensor([1., 1.])}
    """
    file, ours = opened(f, "wb")
    try:
        file.write(MAGIC)
        pickle.dump(obj, file, protocol=4)
    finally:
        if ours:
            file.close()


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool = True,
    mmap: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Read what `save` has written.

    Args:
        f: a path, or a file opened for reading bytes.
        map_location: where tensors are put: there is only the CPU.
        weights_only: make nothing but tensors and containers. False can run any code
            that the file contains.

    Raises:
        pickle.UnpicklingError: if `save` has not made the file, or it asks for more.
    """
    file, ours = opened(f, "rb")
    try:
        if file.read(len(MAGIC)) != MAGIC:
            raise pickle.UnpicklingError(
                "this is not a file that wengert.save has written. For one of "
                "PyTorch's save arrays there: {k: v.numpy() for k, v in "
                "state_dict.items()}"
            )
        return (SafeUnpickler if weights_only else pickle.Unpickler)(file).load()
    finally:
        if ours:
            file.close()
