"""PKCE (RFC 7636): the code is worth nothing to whoever did not ask for it."""

import base64
import hashlib


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
