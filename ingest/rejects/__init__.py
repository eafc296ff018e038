"""What is done about rejected lines: look at them, and read them again after a fix.

It lands lines as `landing` does, and nothing stands on it.
"""
