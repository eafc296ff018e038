"""From a user id to a list: rank, fall back, fill up. Pure but for the fallbacks' reading."""
