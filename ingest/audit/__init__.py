"""Proves from the tables alone that each consumed offset is accounted for exactly once."""
