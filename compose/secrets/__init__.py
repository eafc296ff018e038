"""One secret file for each consumer, readable by that consumer alone.

No service enters: each reads its own file.
"""
