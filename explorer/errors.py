"""What a visitor is told when something cannot be done."""

from __future__ import annotations


class UserError(ValueError):
    """Its message is one clear sentence for the visitor: what happened, why, and what to do about it."""
