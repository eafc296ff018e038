"""What a release proved, in writing: its contents (pure), who issues them, and their chain."""
