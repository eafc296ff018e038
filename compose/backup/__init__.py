"""Copies of everything that cannot be made again, and the way back from one.

No service enters: it copies volumes and a database as they are.
"""
