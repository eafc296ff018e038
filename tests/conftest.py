"""What holds for every test."""

from hypothesis import settings

# How long an example takes depends on the machine and on compilers that run once.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
