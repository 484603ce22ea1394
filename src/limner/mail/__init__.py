"""Sending mail: one small Protocol, SMTP behind it."""
