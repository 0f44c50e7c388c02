"""Asking people about recorded clips: what to ask, how it is shown, and what becomes of the answers."""
