"""Both vocabularies: Sinew's types and ROS messages, there and back without loss.

`*_from_msg` take messages of rclpy and of rosbags alike: they use attributes only. `*_to_msg` take
`make` first, which constructs messages of either (`make[type_name](**fields)`). A message that cannot be
understood is a ValueError. Stamps are integer nanoseconds on both sides. Depth travels as 16UC1, in whole
millimetres.
"""

from sinew_data.messages.affordance import affordance_from_msg, affordance_to_msg
from sinew_data.messages.episode import (
    AuthorityChange,
    EpisodeEvent,
    Observed,
    authority_from_msg,
    authority_to_msg,
    event_from_msg,
    event_to_msg,
    observed_from_msg,
    observed_to_msg,
)
from sinew_data.messages.header import (
    Make,
    header,
    header_stamp,
    stamp_from_msg,
    stamp_to_msg,
)
from sinew_data.messages.image import (
    ImageView,
    camera_info_to_msg,
    depth_from_msg,
    depth_to_wire,
    image_from_wire,
    image_to_wire,
    rgb_from_msg,
    rgb_to_wire,
)
from sinew_data.messages.joints import (
    chunk_from_msg,
    chunk_to_msg,
    executed_from_msg,
    executed_to_msg,
    joints_from_msg,
    joints_to_msg,
)
from sinew_data.messages.perception import percept_from_msg, percept_to_msg
from sinew_data.messages.reward import reward_from_msg, reward_to_msg

__all__ = [
    "AuthorityChange",
    "EpisodeEvent",
    "ImageView",
    "Make",
    "Observed",
    "affordance_from_msg",
    "affordance_to_msg",
    "authority_from_msg",
    "authority_to_msg",
    "camera_info_to_msg",
    "chunk_from_msg",
    "chunk_to_msg",
    "depth_from_msg",
    "depth_to_wire",
    "event_from_msg",
    "event_to_msg",
    "executed_from_msg",
    "executed_to_msg",
    "header",
    "header_stamp",
    "image_from_wire",
    "image_to_wire",
    "joints_from_msg",
    "joints_to_msg",
    "observed_from_msg",
    "observed_to_msg",
    "percept_from_msg",
    "percept_to_msg",
    "reward_from_msg",
    "reward_to_msg",
    "rgb_from_msg",
    "rgb_to_wire",
    "stamp_from_msg",
    "stamp_to_msg",
]
