"""From a batch of lines to rows, with their offsets, in one transaction.

It alone writes events; what a line means is said before it.
"""
