"""Edits other programs' configuration files: one entry in, one entry out, everything else as it was."""
