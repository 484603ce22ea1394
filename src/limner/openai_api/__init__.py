"""The OpenAI-compatible door: the official clients work with our address and key."""
