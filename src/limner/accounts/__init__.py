"""Who is here and who is calling: accounts, users, API keys, the principal."""
