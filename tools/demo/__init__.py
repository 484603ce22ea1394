"""A server with a month behind it: believable accounts, pictures, keys and money, for looking at the pages."""
