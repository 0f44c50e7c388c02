"""The verbs of `sinew feedback`, one a module."""
