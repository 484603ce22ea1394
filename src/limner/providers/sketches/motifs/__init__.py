"""Simple bold figures, each written as a few shapes in a box of 100 by 100 with the ground at 100."""
