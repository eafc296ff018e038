"""A receipt for each answer, by way of a disk of the slot's own to PostgreSQL, each once.

What writes and stores them; why an answer was what it was stays outside.
"""
