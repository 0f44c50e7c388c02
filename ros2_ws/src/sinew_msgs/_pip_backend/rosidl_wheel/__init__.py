"""Build a ROS 2 interface package into a wheel, with the generators of the ROS wheels and a compiler.

Imported by pip only, while it builds the package that this folder lies in.
"""
