"""How well a person was known when they were answered."""

HEAVY_MOVIES = 10
"""Who had watched or rated so many movies before is a heavy user; who had none is new, and the
others are light. With ten, folding somebody in says nearly all that a training would."""
