"""One module per family of pictures; each paints a board and knows nothing of the others."""
