"""What all learned rewards share: features, trajectories, files, and the reward model that serves them."""
