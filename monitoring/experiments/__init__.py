"""Experiments: which of two model versions people are better off with, and how sure that is."""
