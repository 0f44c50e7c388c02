"""The verbs of `sinew classifier`, one a module."""
