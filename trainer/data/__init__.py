"""What a training learns from: the snapshot, as a matrix, split into past and future.

NumPy and SciPy only, but for the snapshot's database.
"""
