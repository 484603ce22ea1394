"""The tool names and shapes an endpoint shows: one file per edition."""
