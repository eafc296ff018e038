"""The SCRAM verifier of a password: what PostgreSQL keeps in its place (RFC 5803). Pure."""

import base64
import hashlib
import hmac
import re

ITERATIONS = 4096
VERIFIER = re.compile(r"SCRAM-SHA-256\$(?P<iterations>\d+):(?P<salt>[^$]+)\$.+")


def scram_verifier(password: str, salt: bytes, iterations: int = ITERATIONS) -> str:
    """What PostgreSQL stores for a password under scram-sha-256."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    encoded = [base64.b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${iterations}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def verifies(verifier: str, password: str) -> bool:
    """Whether this is a verifier of this password."""
    found = VERIFIER.fullmatch(verifier)
    if not found:
        return False
    made = scram_verifier(password, base64.b64decode(found["salt"]), int(found["iterations"]))
    return hmac.compare_digest(made, verifier)
