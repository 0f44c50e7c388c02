"""Teleoperation: devices through which a person moves the arm, each of them a policy.

May import sinew_core and the inverse kinematics of sinew_policies; nothing of ROS.
"""
