"""Brings the database to the state this code expects: roles, tables, rights.

It may know every service's tables; no service knows it.
"""
