"""How the stream of late differs from what the live version was trained on.

It reads the live version's report; no model is loaded.
"""
