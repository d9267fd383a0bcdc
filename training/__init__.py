"""The scripts that made the bundled weights."""
