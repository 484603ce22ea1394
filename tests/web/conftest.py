"""What the tests of the pages are given: an issuer, and a service that trusts it."""

from tests.web.issuers import issuer, service_with  # noqa: F401
