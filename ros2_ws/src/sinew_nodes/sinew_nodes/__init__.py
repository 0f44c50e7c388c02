"""The ROS 2 nodes: they translate and schedule, and compute nothing. The one package that imports rclpy."""
