"""Fused computations on NumPy arrays, forward and backward, as fast as NumPy allows."""
