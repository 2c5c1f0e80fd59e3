"""The quick calls: the commonest cases of `dispatch.general` in a fraction of its time.

`dispatch.general` says what is right for every primitive and all arguments. Most calls
are on tensors that need no preparation: each function here looks whether that is so,
does the same with what can be known before the call worked out beforehand, and turns to
`general` for all else.

- `elementwise`: of ops that work element by element, the most frequent ones of all
- `reductions`: of ops of one input: sums, maxima, sorting and the like
- `products`: of products of matrices, and of linear layers
- `views`: of ops whose results share memory with their input
- `calls`: of any other op, and what the others share

Note [What a quick call looks at]
    The tensors are plain, or views that are up to date (Note [Plain tensors]); there is
    nothing to promote: the inputs have one dtype, numbers are Python's, and the result
    has that dtype, too, which NumPy and PyTorch do not agree upon otherwise; no mode is
    on that concerns recording. What NumPy refuses, `general` refuses with the right
    words.
"""
