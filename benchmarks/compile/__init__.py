"""Compiled programs against eager mode, PyTorch and JAX: ``make bench-compile``."""
