"""What a release proved, in writing: its contents (pure), who issues them, and their chain.

It reads the records of releases, and no release waits for it.
"""
