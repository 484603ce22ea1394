"""Calls to addresses that users name: pictures to refer to, webhooks to deliver to, client metadata to read."""
