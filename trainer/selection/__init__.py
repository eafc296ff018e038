"""Which recipe becomes the version, and whether that version may go live.

It weighs figures that `evaluation` made; nothing of the database enters.
"""
