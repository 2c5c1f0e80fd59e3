"""What each family of ops publishes: made by `python -m tools.contents`.

For each family that is loaded later: the names of its functions, and those of its
methods of `Tensor`.
"""

CONTENTS: dict[str, tuple[str, str]] = {
    "activation": (
        """
        celu celu_ log_softmax relu relu_ selu selu_ softmax
        """,
        """
        celu_ log_softmax relu relu_ selu_ softmax
        """,
    ),
    "assignment": (
        """
        index_put index_put_
        """,
        """
        __setitem__ fill_diagonal_ index_put index_put_
        """,
    ),
    "broadcasting": (
        """
        broadcast_shapes broadcast_tensors broadcast_to expand_as
        """,
        """
        broadcast_to expand expand_as
        """,
    ),
    "cholesky": (
        """
        cholesky cholesky_inverse cholesky_solve
        """,
        """
        cholesky cholesky_inverse cholesky_solve
        """,
    ),
    "combining": (
        """
        cartesian_prod combinations meshgrid vander
        """,
        """
        combinations
        """,
    ),
    "comparison": (
        """
        allclose bitwise_and bitwise_and_ bitwise_left_shift bitwise_left_shift_
        bitwise_not bitwise_not_ bitwise_or bitwise_or_ bitwise_right_shift
        bitwise_right_shift_ bitwise_xor bitwise_xor_ eq eq_ equal gcd gcd_ ge ge_
        greater greater_ greater_equal greater_equal_ gt gt_ isclose isfinite isinf
        isnan isneginf isposinf isreal lcm lcm_ le le_ less less_ less_equal
        less_equal_ logical_and logical_and_ logical_not logical_not_ logical_or
        logical_or_ logical_xor logical_xor_ lt lt_ ne ne_ not_equal not_equal_
        signbit
        """,
        """
        __iand__ __ilshift__ __ior__ __irshift__ __ixor__ allclose bitwise_and
        bitwise_and_ bitwise_left_shift bitwise_left_shift_ bitwise_not bitwise_not_
        bitwise_or bitwise_or_ bitwise_right_shift bitwise_right_shift_ bitwise_xor
        bitwise_xor_ eq eq_ equal gcd gcd_ ge ge_ greater greater_ greater_equal
        greater_equal_ gt gt_ isclose isfinite isinf isnan isneginf isposinf isreal
        lcm lcm_ le le_ less less_ less_equal less_equal_ logical_and logical_and_
        logical_not logical_not_ logical_or logical_or_ logical_xor logical_xor_ lt
        lt_ ne ne_ not_equal not_equal_ signbit
        """,
    ),
    "complex": (
        """
        angle complex conj conj_physical conj_physical_ imag is_conj is_neg polar real
        resolve_conj resolve_neg view_as_complex view_as_real
        """,
        """
        angle conj conj_physical conj_physical_ conjugate imag is_conj is_neg real
        resolve_conj resolve_neg view_as_complex view_as_real
        """,
    ),
    "contraction": (
        """
        chain_matmul cross inner kron matrix_power tensordot trace
        """,
        """
        cross inner kron matrix_power trace
        """,
    ),
    "convolution": (
        """
        conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
        """,
        "",
    ),
    "copies": (
        """
        alias_copy as_strided_copy diagonal_copy expand_copy narrow_copy permute_copy
        select_copy slice_copy split_copy split_with_sizes_copy squeeze_copy t_copy
        transpose_copy unbind_copy unfold_copy unsqueeze_copy view_as_complex_copy
        view_as_real_copy view_copy
        """,
        """
        narrow_copy
        """,
    ),
    "ctc": (
        """
        ctc_loss
        """,
        "",
    ),
    "decompositions": (
        """
        geqrf lu lu_solve lu_unpack orgqr ormqr qr svd
        """,
        """
        geqrf lu lu_solve orgqr ormqr qr svd
        """,
    ),
    "determinants": (
        """
        det logdet slogdet
        """,
        """
        det logdet slogdet
        """,
    ),
    "dropout": (
        """
        dropout feature_dropout
        """,
        "",
    ),
    "einsum": (
        """
        einsum
        """,
        "",
    ),
    "filling": (
        "",
        """
        bernoulli_ cauchy_ exponential_ geometric_ log_normal_ normal_ random_
        uniform_
        """,
    ),
    "functional": (
        """
        alpha_dropout alpha_dropout_ batch_norm bilinear
        binary_cross_entropy_with_logits channel_shuffle cosine_embedding_loss
        dropout_ feature_alpha_dropout feature_alpha_dropout_ feature_dropout_
        hardshrink hinge_embedding_loss instance_norm kl_div margin_ranking_loss
        native_batch_norm native_layer_norm norm_except_dim pdist pixel_shuffle
        pixel_unshuffle poisson_nll_loss prelu rrelu rrelu_ threshold threshold_
        triplet_margin_loss
        """,
        """
        hardshrink prelu
        """,
    ),
    "gathering": (
        """
        embedding gather index_select take take_along_dim
        """,
        """
        gather index_select take take_along_dim
        """,
    ),
    "grids": (
        """
        affine_grid_generator grid_sampler grid_sampler_2d grid_sampler_3d
        """,
        "",
    ),
    "hashing": (
        """
        hash_tensor
        """,
        """
        hash_tensor
        """,
    ),
    "indexing": (
        """
        narrow select
        """,
        """
        __getitem__ __iter__ __reversed__ narrow select
        """,
    ),
    "joining": (
        """
        atleast_1d atleast_2d atleast_3d cat chunk column_stack concat concatenate
        dsplit dstack hsplit hstack row_stack split split_with_sizes stack
        tensor_split unbind unsafe_chunk unsafe_split unsafe_split_with_sizes vsplit
        vstack
        """,
        """
        chunk dsplit hsplit split split_with_sizes tensor_split unbind unsafe_chunk
        unsafe_split unsafe_split_with_sizes vsplit
        """,
    ),
    "lowrank": (
        """
        pca_lowrank svd_lowrank
        """,
        "",
    ),
    "margin_loss": (
        """
        cosine_similarity pairwise_distance
        """,
        "",
    ),
    "masking": (
        """
        masked_fill masked_fill_ masked_scatter masked_scatter_ masked_select
        """,
        """
        masked_fill masked_fill_ masked_scatter masked_scatter_ masked_select
        """,
    ),
    "matmul": (
        """
        addbmm addbmm_ addmm addmm_ addmv addmv_ addr addr_ baddbmm baddbmm_ bmm dot
        ger matmul mm mv outer vdot
        """,
        """
        __matmul__ __rmatmul__ addbmm addbmm_ addmm addmm_ addmv addmv_ addr addr_
        baddbmm baddbmm_ bmm dot ger matmul mm mv outer vdot
        """,
    ),
    "matrix_functions": (
        """
        matrix_exp pinverse
        """,
        """
        matrix_exp pinverse
        """,
    ),
    "memory": (
        """
        get_device is_distributed is_inference
        """,
        """
        apply_ dim_order get_device is_distributed is_pinned is_set_to is_shared map_
        new_empty_strided to_dense
        """,
    ),
    "normalization": (
        """
        group_norm layer_norm rms_norm
        """,
        "",
    ),
    "norms": (
        """
        cdist dist norm renorm renorm_
        """,
        """
        dist norm renorm renorm_
        """,
    ),
    "padding": (
        """
        constant_pad_nd
        """,
        "",
    ),
    "pooling": (
        """
        adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
        adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d avg_pool1d
        avg_pool2d avg_pool3d max_pool1d max_pool2d max_pool3d
        """,
        "",
    ),
    "random": (
        """
        Generator bernoulli binomial default_generator get_rng_state initial_seed
        manual_seed multinomial normal poisson rand rand_like randint randint_like
        randn randn_like randperm seed set_rng_state
        """,
        """
        bernoulli multinomial
        """,
    ),
    "rearranging": (
        """
        block_diag diag diag_embed diagflat flip fliplr flipud repeat_interleave roll
        rot90 tile tril tril_ tril_indices triu triu_ triu_indices
        """,
        """
        diag diag_embed diagflat flip fliplr flipud repeat repeat_interleave roll
        rot90 tile tril tril_ triu triu_
        """,
    ),
    "results": (
        """
        return_types
        """,
        "",
    ),
    "scan": (
        """
        cummax cummin cumprod cumprod_ cumsum cumsum_ cumulative_trapezoid diff
        gradient logcumsumexp trapezoid trapz
        """,
        """
        cummax cummin cumprod cumprod_ cumsum cumsum_ cumulative_trapezoid diff
        gradient logcumsumexp trapezoid trapz
        """,
    ),
    "scattering": (
        """
        index_add index_add_ index_copy index_copy_ index_fill index_fill_
        index_reduce index_reduce_ put put_ scatter scatter_ scatter_add scatter_add_
        scatter_reduce scatter_reduce_
        """,
        """
        index_add index_add_ index_copy index_copy_ index_fill index_fill_
        index_reduce index_reduce_ put put_ scatter scatter_ scatter_add scatter_add_
        scatter_reduce scatter_reduce_
        """,
    ),
    "searching": (
        """
        argwhere bucketize isin nonzero nonzero_static searchsorted unique
        unique_consecutive unravel_index
        """,
        """
        argwhere nonzero nonzero_static unique unique_consecutive
        """,
    ),
    "selection": (
        """
        clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clip clip_ fmax fmin
        heaviside heaviside_ maximum minimum nan_to_num nan_to_num_ nextafter
        nextafter_ where
        """,
        """
        clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clip clip_ fmax fmin
        heaviside heaviside_ maximum minimum nan_to_num nan_to_num_ nextafter
        nextafter_ where
        """,
    ),
    "solving": (
        """
        inverse triangular_solve
        """,
        """
        inverse triangular_solve
        """,
    ),
    "sorting": (
        """
        argsort kthvalue median mode msort nanmedian sort topk
        """,
        """
        argsort kthvalue median mode msort nanmedian sort topk
        """,
    ),
    "special": (
        """
        digamma digamma_ erf erf_ erfc erfc_ erfinv erfinv_ i0 i0_ igamma igamma_
        igammac igammac_ lgamma lgamma_ logit logit_ mvlgamma mvlgamma_ polygamma
        xlogy xlogy_
        """,
        """
        digamma digamma_ erf erf_ erfc erfc_ erfinv erfinv_ i0 i0_ igamma igamma_
        igammac igammac_ lgamma lgamma_ logit logit_ mvlgamma mvlgamma_ polygamma
        polygamma_ xlogy xlogy_
        """,
    ),
    "spectrogram": (
        """
        istft stft
        """,
        """
        istft stft
        """,
    ),
    "statistics": (
        """
        bincount corrcoef cov histc histogram histogramdd nanquantile quantile std
        std_mean var var_mean
        """,
        """
        bincount corrcoef cov histc histogram nanquantile quantile std var
        """,
    ),
    "strided": (
        """
        as_strided as_strided_ as_strided_scatter diagonal diagonal_scatter
        select_scatter slice_scatter
        """,
        """
        as_strided as_strided_ as_strided_scatter diagonal diagonal_scatter
        select_scatter slice_scatter unfold
        """,
    ),
    "windows": (
        """
        bartlett_window blackman_window hamming_window hann_window kaiser_window
        """,
        "",
    ),
}
