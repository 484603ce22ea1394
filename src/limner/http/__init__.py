"""What the web doors share: authentication, limits, errors, middleware."""
