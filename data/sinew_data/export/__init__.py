"""Episodes in the formats of other tools: aligned by capture time, written aside, renamed at the end.

Needs `pip install sinew[export]`: pyarrow for LeRobot's tables, imageio-ffmpeg for its videos.
"""
