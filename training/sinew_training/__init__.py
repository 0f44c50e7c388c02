"""Training and evaluation of policies; may import every package but sinew_nodes."""
