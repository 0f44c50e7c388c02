"""Safety filters beyond joint limits and the tip's box. Imports sinew_core, MuJoCo and daqp; no ROS."""
