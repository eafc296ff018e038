"""Experiments: which of two model versions people are better off with, and how sure that is.

The statistics are pure; of monitoring nothing else enters.
"""
