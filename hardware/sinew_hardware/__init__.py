"""Real arms and cameras, the emulated devices that stand in for them, and their calibration.

May import sinew_core; the emulators also sinew_sim. Nothing of ROS: what talks to ROS is in sinew_nodes.
"""
