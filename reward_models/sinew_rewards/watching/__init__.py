"""Watching a reward while a policy learns from it: whether what it pays still goes with what is wanted."""
