"""Ways to learn from interactions; `registry` has them all, and what they need is large."""
