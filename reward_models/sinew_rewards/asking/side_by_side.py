"""Two clips that play beside each other: pictures of moments, and a video of them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from sinew_core.errors import ConfigError
from sinew_core.types import ImageArray
from sinew_data.export.video import VideoEncoder, VideoSettings
from sinew_data.sheet_canvas import INK, PAPER, font

from sinew_rewards.asking.clip_frames import at_moment
from sinew_rewards.asking.question import Question

FPS = 10
GUTTER = 8  # px between the clips
BAR = 6  # px, of how much has passed
BADGE = 36  # px
STILL = 6  # frames that the end stays


def moments(question: Question) -> list[float]:
    """Return the moments to show, in s, ten a second; the end stays a while."""
    count = max(2, round(question.seconds * FPS) + 1)
    return [*np.linspace(0.0, question.seconds, count).tolist(), *[question.seconds] * STILL]


def picture_at(question: Question, moment: float) -> ImageArray:
    """Return both clips (h, w, 3) at a moment, h and w even, with their numbers and the time passed."""
    sides = [at_moment(each.frames, moment).pixels for each in (question.first, question.second)]
    height = max(side.shape[0] for side in sides)
    width = sum(side.shape[1] for side in sides) + GUTTER
    image = Image.new("RGB", (width + width % 2, height + BAR + (height + BAR) % 2), PAPER)
    draw, left = ImageDraw.Draw(image), 0
    for i, side in enumerate(sides):
        image.paste(Image.fromarray(side), (left, 0))
        draw.rectangle((left, 0, left + BADGE, BADGE), fill=INK)
        draw.text((left + BADGE / 2, BADGE / 2), str(i + 1), fill=PAPER, font=font(24), anchor="mm")
        left += side.shape[1] + GUTTER
    share = moment / question.seconds if question.seconds else 1.0
    draw.rectangle((0, height, round(share * width), height + BAR), fill=INK)
    return np.asarray(image)


def write_video(path: Path, question: Question) -> None:
    """Write a question as a video by the path's ending: .mp4 (H.264) or .gif; ConfigError for another."""
    pictures = (picture_at(question, moment) for moment in moments(question))
    if path.suffix == ".mp4":
        _write_mp4(path, pictures)
    elif path.suffix == ".gif":
        first, *rest = [Image.fromarray(picture).quantize(128) for picture in pictures]
        first.save(path, save_all=True, append_images=rest, duration=1000 // FPS, loop=0)
    else:
        raise ConfigError(f"--video {path}: expected a name that ends in .mp4 or .gif.")


def _write_mp4(path: Path, pictures: Iterator[ImageArray]) -> None:
    first = next(pictures)
    encoder = VideoEncoder(path, first.shape[0], first.shape[1], FPS, VideoSettings())
    try:
        encoder.write(first)
        for picture in pictures:
            encoder.write(picture)
        encoder.close()
    except OSError as error:
        raise ConfigError(f"{path}: {error}") from error
    finally:
        encoder.abandon()
