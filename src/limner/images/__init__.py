"""The capabilities, once for every door: make, edit, find and deliver pictures."""
