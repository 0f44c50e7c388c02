"""What the robot makes of a camera's image: keypoints with confidence, the affordance's way, the reward."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import (
    Affordance,
    FloatArray,
    ImageArray,
    JointState,
    Keypoint,
    Refusal,
    RewardEstimate,
)

from sinew_perception.drawing.canvas import WHITE, Canvas, Colour
from sinew_perception.drawing.view import View
from sinew_perception.geometry import PosedCamera, posed_camera, project

SURE: Colour = (120, 230, 120)
UNSURE: Colour = (255, 190, 60)
WAY: Colour = (90, 200, 255)
NEXT: Colour = (255, 110, 190)
BAD: Colour = (255, 120, 100)
DOUBTFUL = 0.6  # confidence, below which a keypoint is drawn as unsure


class Annotator:
    """Draws on the images of one camera."""

    def __init__(self, hardware: Hardware, camera: str) -> None:
        self._hardware, self._name = hardware, camera
        self._robot = hardware.robot

    def draw(self, image: ImageArray, view: View) -> ImageArray:
        """Return the image, (h, w, 3), enlarged to at least 640 px in width, with everything drawn on it.

        The image is that of the view's joints. Points behind the camera or outside its image are left out.
        """
        canvas = Canvas(image)
        canvas.banner(view.instruction or "no instruction")
        canvas.banner(_status(view), bottom=True, colour=_status_colour(view))
        camera = posed_camera(self._hardware, self._name, view.joints)
        affordance = view.answer if isinstance(view.answer, Affordance) else None
        if affordance is not None:
            self._draw_way(canvas, camera, affordance, view)
        self._draw_keypoints(canvas, camera, view.keypoints, affordance)
        tip = self._pixel(camera, self._tip(view.joints))
        if tip is not None:
            canvas.cross(tip, WHITE, 6.0)
        return canvas.image

    def _tip(self, joints: JointState) -> FloatArray:
        tip: FloatArray = self._robot.chain.pose(self._robot.tip_link, joints.position)[:3, 3]
        return tip

    def _pixel(self, camera: PosedCamera, point: FloatArray) -> FloatArray | None:
        """Return where a point (3,) of the base frame is in the image, or None where it is not in it."""
        pixel: FloatArray = project(camera, point[None])[0]
        size = (camera.model.width, camera.model.height)
        return pixel if (pixel > -0.5).all() and (pixel < size).all() else None

    def _draw_way(self, canvas: Canvas, camera: PosedCamera, affordance: Affordance, view: View) -> None:
        """Draw the grasp, the waypoints in order, the one that is next, and the target."""
        points = [self._pixel(camera, point) for point in affordance.waypoints]
        grasp = self._pixel_of(camera, affordance.grasp, view.keypoints)
        way = [point for point in (grasp, *points) if point is not None]
        if len(way) > 1:
            canvas.line(way, WAY)
        following = _next_waypoint(view.reward)
        for i, point in enumerate(points):
            if point is None:
                continue
            canvas.disc(point, NEXT if i == following else WAY, 5.0 if i == following else 3.5)
            canvas.keep_free(point, 6.0)
        target = self._pixel_of(camera, affordance.target, view.keypoints)
        if target is not None:
            canvas.ring(target, WAY, 12.0)
        if grasp is not None:
            canvas.cross(grasp, WAY, 9.0)

    def _draw_keypoints(
        self,
        canvas: Canvas,
        camera: PosedCamera,
        keypoints: Mapping[str, Keypoint],
        affordance: Affordance | None,
    ) -> None:
        """Draw keypoints: a disc where seen, a ring where only believed to be, a double ring in the hand."""
        places = {name: self._pixel(camera, item.position) for name, item in keypoints.items()}
        for name, pixel in places.items():
            if pixel is None:
                continue
            item = keypoints[name]
            colour = SURE if item.confidence >= DOUBTFUL else UNSURE
            if item.visible:
                canvas.disc(pixel, colour)
            else:
                canvas.ring(pixel, colour, 5.0)
            if item.held:
                canvas.ring(pixel, colour, 9.0, 1)
            canvas.keep_free(pixel, 8.0)
        for name, pixel in places.items():
            if pixel is not None:
                item = keypoints[name]
                role = _role(name, affordance)
                text = f"{name} {item.confidence:.2f}" + (f" · {role}" if role else "")
                canvas.label(text, pixel, SURE if item.confidence >= DOUBTFUL else UNSURE)

    def _pixel_of(
        self, camera: PosedCamera, where: str | FloatArray | None, keypoints: Mapping[str, Keypoint]
    ) -> FloatArray | None:
        if isinstance(where, str):
            return self._pixel(camera, keypoints[where].position) if where in keypoints else None
        return None if where is None else self._pixel(camera, where)


def _role(name: str, affordance: Affordance | None) -> str:
    """Return what the affordance wants of a keypoint."""
    if affordance is None:
        return ""
    where = {"grasp": affordance.grasp, "moves": affordance.moves, "target": affordance.target}
    return next((role for role, what in where.items() if isinstance(what, str) and what == name), "")


def _next_waypoint(reward: RewardEstimate | None) -> int | None:
    """Return which waypoint the reward counts as the next one, where it tells."""
    waypoint = None if reward is None else reward.terms.get("waypoint")
    return None if waypoint is None or not np.isfinite(waypoint) else int(waypoint)


def _status(view: View) -> str:
    """Return the lower line: the reward and who drives, or why nothing is done."""
    if isinstance(view.answer, Refusal):
        return f"refused: {view.answer.reason}"
    parts = [view.owner] if view.owner else []
    reward = view.reward
    if reward is not None:
        parts.append(f"reward {reward.value:+.2f}")
        parts += [f"progress {reward.progress:.0%}"] if reward.progress is not None else []
        parts += ["success"] if reward.success is not None and reward.success >= 0.5 else []
    return " · ".join(parts)


def _status_colour(view: View) -> Colour:
    if isinstance(view.answer, Refusal):
        return BAD
    done = view.reward is not None and (view.reward.success or 0.0) >= 0.5
    return SURE if done else WHITE
