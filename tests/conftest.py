"""Settings of all tests: the same draws each time in CI, and no limit on time anywhere."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Machines differ in speed: a slow one must not turn a true statement into a failing test.
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile("dev", deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, print_blob=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))
