"""Keeps the garbage collector's pauses short: what stays is looked at once, not again and again.

A full collection walks everything that a slot keeps (lists, what people did: 100 ms and more)
while nobody is answered. What stays is freed by its reference counts when it goes, so the
collector need only look for cycles among what is new.
"""

import gc

SET_ASIDE_SECONDS = 1.0
"""How often; as much as a slot keeps anew in that time is what one collection walks."""


def set_aside_what_stays() -> None:
    """Free cycles among what is new, and have later collections pass over what is left.

    A cycle that breaks up after it was set aside stays for good. Slots keep none.
    """
    gc.collect(1)
    gc.freeze()
