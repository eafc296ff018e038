"""Why an answer was what it was, from its receipt.

It may ask the database, since nobody's list waits for it.
"""
