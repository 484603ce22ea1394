"""The authorization server's wire: metadata, registration, tokens. The question to the user is a page (web/consent.py)."""
