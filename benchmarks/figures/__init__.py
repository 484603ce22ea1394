"""One file per figure; each has `TITLE` and `measure(size)`, which gives its rows."""
