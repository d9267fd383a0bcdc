"""The router, and what the pages share."""
