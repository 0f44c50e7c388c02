"""Perception and affordance models: camera frames and sentences in, keypoints and affordances out."""
