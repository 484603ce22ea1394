"""Handing generations to runners, and telling watchers how they go: one Protocol each (`base`), one file per engine."""
