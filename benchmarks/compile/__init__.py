"""Compiled programs against eager mode and PyTorch: ``make bench-compile``."""
