"""Which recipe becomes the version, and whether that version may go live."""
