"""The capabilities: make, edit, get, list, wait for and deliver pictures."""
