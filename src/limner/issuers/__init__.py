"""Services that vouch for who a person is: Google, GitHub, any OpenID Connect issuer."""
