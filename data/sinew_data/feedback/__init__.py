"""What people, models and scripts say about episodes: one typed, append-only log. NumPy and files only."""
