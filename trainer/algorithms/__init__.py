"""Ways to learn from interactions; `registry` has them all, and imports what is asked for.

What only one of them needs is imported by that one.
"""
