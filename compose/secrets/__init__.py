"""One secret file for each consumer, readable by that consumer alone."""
