"""What Jenkins asks for that needs the engine: a fixed list, carried out by scripts of our own.

Nothing else of ci enters, and no library: what holds the engine's socket is small.
"""
