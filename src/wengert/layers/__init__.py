"""The layers that a tensor's array can be: what transformations put below the tensor.

`level` keeps nested transformations apart; `dual` carries tangents beside primals
(forward mode), `batched` hides a dimension (vmap).
"""
