"""What every Python service stands on: its log, its database, its jobs.

Nothing else of Marquee is imported here.
"""
