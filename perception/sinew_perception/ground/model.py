"""The affordance model `sinew_ground`: an image and a sentence in, an affordance or a refusal out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.types import (
    Affordance,
    CameraModel,
    DepthArray,
    FloatArray,
    ImageArray,
    Keypoint,
    Observation,
    Refusal,
)

from sinew_perception.geometry import PosedCamera, posed_camera
from sinew_perception.ground.answering import Meant, UnclearError, check_request, understand
from sinew_perception.ground.blobs import Blob, Map, find_blobs
from sinew_perception.ground.grounder import WEIGHTS, Look, Said, load_weights
from sinew_perception.ground.picture import draw_heat
from sinew_perception.ground.views import HEIGHT, WIDTH, height_image, resized
from sinew_perception.waypoints import Margins, above_waypoint, place_waypoints, push_waypoints

SOURCE = "sinew_ground"
SAME_PLACE = 0.005  # m; nearer than this there is no direction to push in


@dataclass(frozen=True, slots=True)
class Config:
    """Which camera is looked at, with which weights, and the distances that the ways keep."""

    camera: str = "top"
    weights: Path = WEIGHTS
    snap: float = 0.025  # m, horizontally, within which a keypoint is the thing that is meant
    margins: Margins = field(default_factory=Margins)

    def __post_init__(self) -> None:
        """Check the range."""
        if not self.snap >= 0:
            raise ValueError(f"snap: expected a distance in m, got {self.snap}.")


@dataclass(frozen=True, slots=True)
class View:
    """What the model sees in an observation."""

    look: Look
    blobs: list[Blob]
    camera: PosedCamera  # of the image as the network sees it


@dataclass(frozen=True, slots=True)
class Place:
    """A thing as ways are planned with it: a keypoint's name, or a point where none is near."""

    name: str | None
    keypoint: Keypoint

    @property
    def anchor(self) -> str | FloatArray:
        """What an affordance calls it."""
        return self.keypoint.position.copy() if self.name is None else self.name


class SinewGround:
    """Looks at one camera's image; deterministic: no answer depends on earlier questions."""

    needs_frames = True

    def __init__(self, config: Config, hardware: Hardware) -> None:
        if config.camera not in hardware.cameras:
            raise ConfigError(
                f"{hardware.path}: sinew_ground: no camera '{config.camera}'."
                f"{did_you_mean(config.camera, hardware.cameras)}"
            )
        self._config, self._hardware = config, hardware
        self._grounder = load_weights(config.weights)[0]
        self._shown: tuple[Observation, Affordance | Refusal] | None = None

    def at(self, hardware: Hardware) -> SinewGround:
        """Return the same model looking through another hardware's cameras; the weights are shared."""
        other = copy(self)
        other._hardware = hardware
        return other

    def propose(self, observation: Observation, instruction: str) -> Affordance | Refusal:
        """Return where to act, or a refusal: for what is no request, not seen, or may mean several things."""
        answer = self._answer(observation, instruction)
        self._shown = observation, answer
        return answer

    def picture(self) -> ImageArray | None:
        """Return the image of the last question under its heat maps, with what came of it, (h, w, 3)."""
        if self._shown is None or self._config.camera not in self._shown[0].frames:
            return None
        observation, answer = self._shown
        try:
            maps, _ = self.heat_maps(observation, answer.instruction)
        except UnclearError:
            return None
        return draw_heat(observation.frames[self._config.camera].rgb, maps, answer)

    def _answer(self, observation: Observation, instruction: str) -> Affordance | Refusal:
        said = self._grounder.hear(instruction)
        saw: Sequence[str] = sorted(observation.keypoints)
        try:
            check_request(said, self._grounder.thresholds)
            view = self.view(observation)
            saw = self._saw(view, observation.keypoints)
            meant = self.ground(said, view)
            return self._affordance(observation, instruction, meant, view)
        except UnclearError as error:
            reason = f"{error} I see {', '.join(saw) or 'no object'}."
            return Refusal(observation.stamp, instruction, reason, tuple(saw), SOURCE)

    def hear(self, instruction: str) -> Said:
        """Return what a sentence asks for."""
        return self._grounder.hear(instruction)

    def ground(self, said: Said, view: View) -> Meant:
        """Return the things that a sentence means in what is seen; raises UnclearError."""
        scores = self._grounder.scores(view.look, said, view.blobs)
        return understand(said, view.blobs, scores, self._grounder.thresholds)

    def heat_maps(self, observation: Observation, instruction: str) -> tuple[Map, Said]:
        """Return the heat maps of grasp and target (2, rows, columns), 0 to 1, and what was heard.

        A cell stands for 4 x 4 px of the image at 320 x 240. Raises UnclearError for an unusable image.
        """
        said = self._grounder.hear(instruction)
        return self._grounder.heat(self.view(observation).look, said), said

    def view(self, observation: Observation) -> View:
        """Return what the image shows; raises UnclearError where there is none, or one of another size."""
        name = self._config.camera
        if name not in observation.frames:
            raise UnclearError(f"there is no image of the camera '{name}' to look at.")
        frame, camera = observation.frames[name], posed_camera(self._hardware, name, observation.joints)
        _check_size(frame.rgb.shape, frame.depth, camera.model)
        rgb, depth, model = resized(frame, camera.model)
        camera = PosedCamera(model, camera.X_BC)
        heights = None if depth is None else height_image(depth, model, camera.X_BC)
        look = self._grounder.look(rgb, heights)
        return View(look, find_blobs(look.maps, camera, depth), camera)

    def _saw(self, view: View, keypoints: Mapping[str, Keypoint]) -> list[str]:
        """Return the keypoints' names, and those of what is seen where no keypoint is."""
        places = [(blob, self._place(blob, keypoints)) for blob in view.blobs]
        return sorted(keypoints) + sorted(blob.name for blob, place in places if place.name is None)

    def _place(self, blob: Blob, keypoints: Mapping[str, Keypoint]) -> Place:
        """Return the keypoint of a thing: the nearest, first among those that are called like it."""

        def rank(name: str) -> tuple[bool, float]:
            unlike = not {blob.family, blob.kind} <= set(name.split("_"))
            return unlike, float(np.linalg.norm(keypoints[name].position - blob.position))

        near = [
            name
            for name, keypoint in keypoints.items()
            if np.linalg.norm(keypoint.position[:2] - blob.position[:2]) <= self._config.snap
        ]
        if near:
            best = min(near, key=rank)
            return Place(best, keypoints[best])
        return Place(
            None, Keypoint(blob.position, _own_pixel(blob.pixel, self._model), 1.0, None, blob.extent)
        )

    @property
    def _model(self) -> CameraModel:
        return self._hardware.cameras[self._config.camera]

    def _affordance(self, observation: Observation, instruction: str, meant: Meant, view: View) -> Affordance:
        keypoints = observation.keypoints
        subject = self._place(meant.subject, keypoints)
        target = None if meant.target is None else self._place(meant.target, keypoints)
        others = [self._place(blob, keypoints).keypoint for blob in view.blobs]
        waypoints = self._waypoints(meant, subject, target, [*keypoints.values(), *others])
        return Affordance(
            stamp=observation.stamp,
            instruction=instruction,
            grasp=subject.anchor if meant.form.startswith("place") else None,
            waypoints=waypoints,
            target=(target or subject).anchor,
            source=SOURCE,
            closed=np.full(len(waypoints), meant.form != "reach"),
            moves=None if target is None else subject.name,
        )

    def _waypoints(
        self, meant: Meant, subject: Place, target: Place | None, seen: Iterable[Keypoint]
    ) -> FloatArray:
        margins, moved = self._config.margins, subject.keypoint
        if target is None or meant.target is None:
            heights = [margins.hover] if meant.form == "reach" else [margins.hover, margins.touch]
            return np.array([above_waypoint(moved, height) for height in heights])
        if subject.name is not None and subject.name == target.name:
            raise UnclearError(f"{subject.name} cannot go to itself.")
        others = [other for other in seen if not _same(other, moved)]
        if meant.form != "push":
            inside = meant.target.kind == "bowl"
            return place_waypoints(moved, target.keypoint, others, inside, margins)
        if np.linalg.norm(moved.position[:2] - target.keypoint.position[:2]) < SAME_PLACE:
            raise UnclearError("what is to be pushed is there already.")
        return push_waypoints(moved, target.keypoint, others, margins)


def _same(a: Keypoint, b: Keypoint) -> bool:
    return a is b or bool(np.linalg.norm(a.position - b.position) < SAME_PLACE)


def _check_size(shape: tuple[int, ...], depth: DepthArray | None, model: CameraModel) -> None:
    """Raise UnclearError for an image that is not of the calibrated size."""
    wanted = (model.height, model.width)
    if shape != (*wanted, 3):
        raise UnclearError(
            f"the image of camera '{model.name}' is {'x'.join(map(str, shape))}, "
            f"but the camera is calibrated for {model.height}x{model.width}x3."
        )
    if depth is not None and depth.shape != wanted:
        raise UnclearError(
            f"the depth image of camera '{model.name}' is {'x'.join(map(str, depth.shape))}, "
            f"expected {model.height}x{model.width}."
        )


def _own_pixel(pixel: FloatArray, model: CameraModel) -> FloatArray:
    """Return a pixel of the network's image in the camera's own."""
    scale = np.array([model.width / WIDTH, model.height / HEIGHT])
    own: FloatArray = (pixel + 0.5) * scale - 0.5
    return own
