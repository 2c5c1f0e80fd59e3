"""Wengert beside PyTorch, with raw NumPy as the control.

`python -m benchmarks` measures each workload of `benchmarks.table` in fresh processes,
one for each library, in several rounds; `benchmarks.rounds` says how, and
`benchmarks.report` how the ratios are formed.
"""
