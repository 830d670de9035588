"""Bounded and repeatable property tests."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "core", max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("core")
