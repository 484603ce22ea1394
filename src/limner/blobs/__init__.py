"""Bytes under keys: one small Protocol (`base`), one file per kind of store."""
