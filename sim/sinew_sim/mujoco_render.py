"""Drawing MuJoCo cameras: colour and metric depth from one pass, one off-screen buffer for all sizes."""

from __future__ import annotations

from collections.abc import Iterable

import sinew_sim.mujoco_gl as gl

# isort: split
import mujoco
import numpy as np
from sinew_core.types import CameraModel, DepthArray, ImageArray

from sinew_sim.mujoco_model import COLLISION_GROUP, FAR, NEAR

MAX_DEPTH = 5.0  # m
MAX_GEOMS = 1000


class MujocoRenderer:
    """Renders any camera of any model that is built on the same base.

    The graphics context is made at the first frame and is bound to the calling thread only while a
    frame is drawn, so that frames may be drawn from different threads, one at a time.
    """

    def __init__(self, cameras: Iterable[CameraModel]) -> None:
        sizes = [(camera.width, camera.height) for camera in cameras]
        self._size = (max(w for w, _ in sizes), max(h for _, h in sizes)) if sizes else (16, 16)
        self._option = mujoco.MjvOption()
        self._option.geomgroup[COLLISION_GROUP] = 0
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._model: mujoco.MjModel | None = None
        self._scene: mujoco.MjvScene | None = None
        self._gl: gl.Context | None = None
        self._context: mujoco.MjrContext | None = None

    def render(
        self, model: mujoco.MjModel, data: mujoco.MjData, camera: CameraModel, depth: bool
    ) -> tuple[ImageArray, DepthArray | None]:
        """Return rgb (h, w, 3) and, when asked for, depth (h, w) in whole mm, 0 beyond MAX_DEPTH.

        `data` must have been through `mj_forward` or a step. Raises DeviceError without graphics.
        """
        if self._gl is None:
            self._gl = gl.make_context(*self._size)
        if self._model is not model:
            self._model, self._scene = model, mujoco.MjvScene(model, maxgeom=MAX_GEOMS)
        self._camera.fixedcamid = model.camera(camera.name).id
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(model, data, self._option, None, self._camera, everything, self._scene)
        with self._gl.as_current():
            return self._draw(model, camera, depth)

    def _draw(
        self, model: mujoco.MjModel, camera: CameraModel, depth: bool
    ) -> tuple[ImageArray, DepthArray | None]:
        if self._context is None:
            self._context = _make_context(model, self._size)
        rectangle = mujoco.MjrRect(0, 0, camera.width, camera.height)
        rgb = np.empty((camera.height, camera.width, 3), dtype=np.uint8)
        z = np.empty((camera.height, camera.width), dtype=np.float32) if depth else None
        mujoco.mjr_render(rectangle, self._scene, self._context)
        mujoco.mjr_readPixels(rgb, z, rectangle, self._context)
        return np.ascontiguousarray(rgb[::-1]), None if z is None else metric_depth(z[::-1])

    def close(self) -> None:
        """Free the graphics context; the renderer can be used again."""
        if self._gl is None:
            return
        if self._context is not None:
            with self._gl.as_current():
                self._context.free()
        self._gl.free()
        self._gl = self._context = self._scene = self._model = None


def _make_context(model: mujoco.MjModel, size: tuple[int, int]) -> mujoco.MjrContext:
    """Make the off-screen buffer; it serves later models too, since none has meshes or textures."""
    model.vis.global_.offwidth, model.vis.global_.offheight = size
    context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, context)
    context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR  # keeps the precision of the buffer
    return context


def metric_depth(z: DepthArray) -> DepthArray:
    """Turn a reversed depth buffer, 1 at NEAR and 0 at FAR, into whole millimetres in m."""
    inverse = z * np.float32(1 / NEAR - 1 / FAR) + np.float32(1 / FAR)
    metres: DepthArray = np.rint(np.float32(1000.0) / inverse) / np.float32(1000.0)
    metres[metres > MAX_DEPTH] = 0.0
    return metres
