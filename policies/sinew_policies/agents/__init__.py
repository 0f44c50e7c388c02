"""Learning agents in torch, one file each; they know nothing of simulators, arms or ROS."""
