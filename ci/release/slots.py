"""What the two slots say of themselves over HTTP."""

import httpx

from ci.release.plan import Readiness
from ci.slots.traffic import SlotFigures, Traffic, parse_figures

TIMEOUT_SECONDS = 2.0


def slot_client() -> httpx.Client:
    """A client that reaches the slots directly, whatever proxy the environment names."""
    return httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)


def readiness(client: httpx.Client, url: str) -> Readiness:
    """Ask a slot whether it is ready and with which version; silence is not ready."""
    try:
        said = client.get(f"{url}/readyz").json()
        return Readiness(
            said["ready"] is True,
            said["model_version"],
            said.get("refused"),
            interleaved_with=said.get("interleaved_with"),
        )
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return Readiness(ready=False, why_not=f"it does not answer ({type(error).__name__})")


def traffic(client: httpx.Client, url: str) -> Traffic | None:
    """What a slot counted since it started; None when it does not answer."""
    return figures(client, url).traffic


def figures(client: httpx.Client, url: str) -> SlotFigures:
    """What a slot's metrics say; nothing when it does not answer."""
    try:
        return parse_figures(client.get(f"{url}/metrics").raise_for_status().text)
    except (httpx.HTTPError, ValueError, OverflowError):
        return SlotFigures()
