"""What a moment of an episode looked like: from the pictures beside features, or from the recording."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image
from sinew_core.types import ImageArray, Observation
from sinew_data.dataset import Dataset
from sinew_data.errors import EpisodeError
from sinew_data.reader import open_episode

from sinew_rewards.report.episodes import EpisodeSet
from sinew_rewards.report.mistakes import Moment
from sinew_rewards.report.recorded_episodes import picture_of

EDGE = 160  # px, of each camera's picture
GAP = 3  # px, between cameras


class MomentPictures:
    """Finds pictures; None for an episode that has none, or cannot be read any more."""

    def __init__(self, episodes: EpisodeSet) -> None:
        self._episodes = episodes.episodes
        self._by_name = {item.name: item for item in episodes.episodes.trajectories}
        self._dataset = Dataset(episodes.source) if episodes.recorded else None

    def __call__(self, moment: Moment) -> ImageArray | None:
        """Return the picture (h, w, 3) of a moment, all cameras side by side."""
        pictures = self._by_name[moment.episode].pictures
        if pictures is not None:
            return np.array(pictures[moment.row])
        return None if self._dataset is None else self._recorded(self._dataset, moment)

    def _recorded(self, dataset: Dataset, moment: Moment) -> ImageArray | None:
        try:
            with open_episode(dataset.find(moment.episode)) as episode:
                for step in episode.steps(frames=True):
                    if step.observation.stamp == moment.stamp:
                        return _side_by_side(step.observation)
        except EpisodeError:
            return None
        return None


def _side_by_side(observation: Observation) -> ImageArray | None:
    parts = [picture_of(name, frame, EDGE) for name, frame in observation.frames.items()]
    if not parts:
        return None
    gap = np.full((EDGE, GAP, 3), 255, np.uint8)
    return np.concatenate([part for picture in parts for part in (gap, picture)][1:], axis=1)


def as_data(picture: ImageArray) -> str:
    """Return a picture as the address of itself, for a page that fetches nothing; small ones are enlarged."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    factor = -(-EDGE // picture.shape[0])
    if factor > 1:
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode("ascii")
