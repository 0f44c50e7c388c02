"""Learned rewards as they answer, restored from their arrays: what learners hand over."""
