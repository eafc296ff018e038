"""How images are built, and the configuration of what others have written."""
