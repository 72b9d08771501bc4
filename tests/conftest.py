"""What holds for all tests."""

from hypothesis import HealthCheck, settings

# How long an example takes is for others on the machine to say; what must be quick has a test.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
