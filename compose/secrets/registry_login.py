"""The login to one image registry, out of a Docker configuration that may hold others, too."""

import json


def registry_login(registry: str, configuration: str) -> str:
    """A Docker configuration that logs in to one registry and nowhere else; to none without one.

    Args:
        registry: its host and port, as images are named by it.
        configuration: what `docker login` left in `config.json`; empty where there is none.

    Raises:
        ValueError: it cannot be read, or the password stands elsewhere.
    """
    try:
        told = json.loads(configuration or "{}")
        known = told.get("auths", {})
        entry = known.get(registry)
    except (ValueError, AttributeError) as error:
        raise ValueError(f"Docker's configuration cannot be read: {error}") from error
    stored = told.get("credHelpers", {}).get(registry) or told.get("credsStore")
    if registry and stored and registry in {*known, *told.get("credHelpers", {})}:
        raise ValueError(f"the password for {registry} is kept by docker-credential-{stored}")
    return json.dumps({"auths": {registry: entry}} if entry else {})
