"""The status page, which people look at first.

It is rendered to a file: no request reaches a database.
"""
