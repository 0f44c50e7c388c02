"""Episodes on disk: messages, the recorder's writer, the reader, repair and the verb `data`. No rclpy.

Imports sinew_core only; sinew_nodes and sinew_eval import it. Its messages need NumPy alone, the rest
needs `mcap`, `rosbags` and `zstandard` (`pip install sinew[data]`).
"""
