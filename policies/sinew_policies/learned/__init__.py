"""Policies that were trained: what they see of an observation, how they act, and their files."""
