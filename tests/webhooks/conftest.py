"""A loopback https server and its authority."""

from tests.peers.https import authority, peer  # noqa: F401
