"""What every test relies on: one thread a process, and Hypothesis's settings."""

import os

# Before NumPy and PyTorch load: test workers share the cores among themselves.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from hypothesis import HealthCheck, settings  # noqa: E402  (after the environment)

# A shared machine has slow moments, which are no failure of the code under test.
settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# Every run of the same change sees the same examples.
settings.register_profile(
    "ci", parent=settings.get_profile("here"), derandomize=True, print_blob=True
)
settings.load_profile("ci" if os.environ.get("CI") else "here")
