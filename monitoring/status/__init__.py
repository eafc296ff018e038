"""The state of everything, for a person at a terminal."""
