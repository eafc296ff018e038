"""What holds for every test."""

from hypothesis import settings

# How long an example takes depends on the machine and on compilers that run once.
# The same examples at each run: a red build speaks of the change, not of the dice.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("searching", deadline=None)  # `make drill` looks for new ones
settings.load_profile("repeatable")
