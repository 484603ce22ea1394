"""Loopback stand-ins of the suppliers, kept honest by the suppliers' own client libraries."""
