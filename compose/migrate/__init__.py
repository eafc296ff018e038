"""Brings the database to the state this code expects: roles, tables, rights."""
