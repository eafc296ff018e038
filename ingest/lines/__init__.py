"""The stream's language: bytes to events and back, and which events are taken.

Pure: no client library enters.
"""
