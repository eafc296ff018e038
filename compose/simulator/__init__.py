"""The outside world: people with tastes, who ask, watch and rate, and the log they leave.

Of Marquee it knows the formats of lines alone.
"""
