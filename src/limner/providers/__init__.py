"""The suppliers of pictures: one small Protocol (`base`), one file per supplier."""
