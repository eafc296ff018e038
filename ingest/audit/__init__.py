"""Proves from the tables alone that each consumed offset is accounted for exactly once.

Of the code it knows the kinds of lines alone, and asks no module how it counted.
"""
