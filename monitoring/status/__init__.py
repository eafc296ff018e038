"""The state of everything, for a person at a terminal.

Reads tables and settings; it changes nothing.
"""
