"""Signals: `torch.signal`, which has windows."""

from . import windows as windows
