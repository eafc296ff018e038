"""What each algorithm learned of the items: a module for each kind, saved as plain arrays.

These need NumPy and SciPy only, so that a server can score and explain without the libraries
that fit the models.
"""
