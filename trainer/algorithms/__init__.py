"""Ways to learn from interactions; `registry` has them all, and imports what is asked for."""
