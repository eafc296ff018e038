"""Finds lines that were published twice. The same offset twice is the landing's own concern.

It keeps keys; what a line means stays outside.
"""
