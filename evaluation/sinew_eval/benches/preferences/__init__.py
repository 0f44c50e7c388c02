"""Learners from comparisons, measured against the truth, against baselines and against a peer."""
