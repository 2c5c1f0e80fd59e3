"""Whole programs, as PyTorch's users write them, that run with both libraries."""
