"""How fast and how small Limner is, each figure as a ratio to a floor measured in the same run (docs/performance.md)."""
