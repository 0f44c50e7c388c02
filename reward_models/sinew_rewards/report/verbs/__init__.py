"""The verbs of `sinew reward`, one a module."""
