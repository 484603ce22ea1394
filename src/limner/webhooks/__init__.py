"""Telling others what happened: endpoints that accounts register, and the deliveries to them."""
