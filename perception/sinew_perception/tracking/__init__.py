"""Keypoints that keep their identity through motion, occlusion and grasping; core and OpenCV only."""
