"""Taking payments: one Protocol (`base`), one file per supplier."""
