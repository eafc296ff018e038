"""Model versions: how they are read, pinned and kept.

What reads them needs NumPy and SciPy only.
"""
