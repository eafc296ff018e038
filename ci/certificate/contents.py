"""What a certificate says, and the text that is hashed; no I/O.

A certificate is one line of JSON with its keys in order. It names the hash of the one before
it, so that none can be changed, or taken out, without all later ones showing it.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from ci.slots.traffic import Traffic

RULE_OF_THREE = 3.0
"""-ln(0.05): where n independent trials saw no failure, 3/n bounds its probability at 95 %.

Source: Hanley and Lippman-Hand, JAMA 249 (1983), 1743-1745.
"""


def certificate_text(contents: Mapping[str, Any]) -> str:
    """The one text that these contents have."""
    return json.dumps(contents, sort_keys=True, separators=(",", ":"), allow_nan=False)


def text_hash(text: str) -> str:
    """SHA-256 of a certificate, in hexadecimal: as PostgreSQL's `sha256` makes it, too."""
    return hashlib.sha256(text.encode()).hexdigest()


def failing_share_at_most(failures: int, trials: int) -> float | None:
    """Upper bound, at 95 %, of the share that fails; None where that cannot be said so simply."""
    return min(1.0, RULE_OF_THREE / trials) if trials and not failures else None


def answers_proven(counted: tuple[Traffic | None, ...]) -> dict[str, Any]:
    """What was proven of the answers that each slot counted; nulls where one could not be read."""
    known = [traffic for traffic in counted if traffic is not None]
    if len(known) < len(counted):
        return dict.fromkeys(("requests", "failed", "failing_share_at_most", "slowest_seconds"))
    requests = sum(traffic.requests for traffic in known)
    failed = sum(traffic.errors for traffic in known)
    return {
        "requests": requests,
        "failed": failed,
        "failing_share_at_most": failing_share_at_most(failed, requests),
        "slowest_seconds": max(map(slowest_seconds, known), key=_none_is_most),
    }


def slowest_seconds(traffic: Traffic) -> float | None:
    """A bound that every answer stayed within; 0 without any, None beyond the last bucket."""
    total = max(traffic.within.values(), default=0)
    bound = min((bound for bound, upto in traffic.within.items() if upto >= total > 0), default=0.0)
    return None if math.isinf(bound) else bound


def _none_is_most(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds
