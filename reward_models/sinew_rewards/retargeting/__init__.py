"""A human arm's motion on a robot's: keypoints in, joints out. NumPy, but for the matching network."""
