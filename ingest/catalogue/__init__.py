"""Every movie and user that the stream named, and what the metadata API says of them.

Only what asks the metadata API enters; no line waits for it.
"""
