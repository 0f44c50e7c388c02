"""What a run's videos show besides the camera's image: keypoints, the affordance's way, the reward."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sinew_core.hardware import Hardware
from sinew_core.types import ImageArray
from sinew_perception.drawing.view import View

from sinew_eval.records import RunConfig

if TYPE_CHECKING:  # what it needs is not there without the extra `perception`
    from sinew_perception.drawing.annotate import Annotator

log = logging.getLogger(__name__)


class Overlay:
    """Draws on the frames of a run's video camera, unless the run wants them plain."""

    def __init__(self, config: RunConfig, hardware: Hardware) -> None:
        self._annotator = _make_annotator(config, hardware)

    def draw(self, frame: ImageArray, view: View) -> ImageArray:
        """Return a frame, (h, w, 3), with what is known at its time drawn on it."""
        return frame if self._annotator is None else self._annotator.draw(frame, view)


def _make_annotator(config: RunConfig, hardware: Hardware) -> Annotator | None:
    if config.plain_video or config.video_camera not in hardware.cameras:
        return None
    try:
        from sinew_perception.drawing.annotate import Annotator
    except ImportError as error:
        log.warning("videos show the plain image: %s", error)
        return None
    return Annotator(hardware, config.video_camera)
