"""Compiled objects on disk, by content.

An entry's name is the hash of everything that its bytes depend on (the IR, the CPU, the
versions), so an entry is never wrong, only missing. Files are written under another
name and renamed, so that readers see whole files; each carries a checksum, and a file
that fails it is removed. Nothing here raises: without a writable directory the compiler
compiles anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

LARGEST_TOTAL = 256 * 2**20
_VERSION = b"wengert-kernel-1\n"
_CHECKSUM = 32


def directory() -> Path | None:
    """Where entries lie; None where ``WENGERT_CACHE_DIR`` is set and empty."""
    chosen = os.environ.get("WENGERT_CACHE_DIR")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "wengert" / "kernels"


def key_of(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def load(key: str) -> bytes | None:
    """The entry's bytes, or None where there is none that is whole."""
    folder = directory()
    if folder is None:
        return None
    path = folder / key
    try:
        content = path.read_bytes()
    except OSError:
        return None
    start = len(_VERSION) + _CHECKSUM
    body = content[start:]
    if content[:start] == _VERSION + hashlib.sha256(body).digest():
        with contextlib.suppress(OSError):
            os.utime(path)
        return body
    with contextlib.suppress(OSError):
        path.unlink()
    return None


def save(key: str, body: bytes) -> None:
    """Keep an entry; now and then forget those that were not used for longest."""
    folder = directory()
    if folder is None:
        return
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_VERSION + hashlib.sha256(body).digest() + body)
            Path(name).replace(folder / key)
        except OSError:
            Path(name).unlink()
            raise
        if key.startswith("00"):  # once in 256 saves
            _trim(folder)


def _trim(folder: Path) -> None:
    entries = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            facts = path.stat()
            entries.append((facts.st_mtime, facts.st_size, path))
    total = sum(size for _, size, _ in entries)
    for _, size, path in sorted(entries):
        if total <= LARGEST_TOTAL:
            break
        with contextlib.suppress(OSError):
            path.unlink()
            total -= size
