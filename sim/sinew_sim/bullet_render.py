"""Cameras of a PyBullet station: exact pinhole images by PyBullet's own software renderer.

Nearly all of that renderer's time goes into large triangles. So the table is not drawn but painted: a
plane under a distant light has one colour, and its depth along a ray is a quotient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pybullet
from pybullet_utils.bullet_client import BulletClient
from sinew_core.types import CameraFrame, CameraModel, DepthArray, FloatArray, ImageArray

from sinew_sim.scene import TABLE_RGB

NEAR, FAR = 0.01, 10.0  # m along the optical axis
MAX_DEPTH = 5.0  # m
AMBIENT, DIFFUSE = 0.62, 0.38  # much of the former, so that shaded sides keep their hue
LIGHT = np.array([0.35, 0.25, 0.9]) / np.linalg.norm([0.35, 0.25, 0.9])  # unit, towards the light

# The renderer samples a pixel at its upper left corner, a CameraModel means its middle.
SAMPLE_X, SAMPLE_Y = -0.5, 0.5  # px
OPENGL_OPTICAL = np.diag([1.0, -1.0, -1.0, 1.0])  # OpenGL looks along -z with y up

Float32Array = npt.NDArray[np.float32]


def projection_matrix(model: CameraModel) -> FloatArray:
    """Return the OpenGL projection (4, 4) that has a camera's intrinsics."""
    P = np.zeros((4, 4))
    P[0, 0], P[1, 1] = 2 * model.fx / model.width, 2 * model.fy / model.height
    P[0, 2] = 1 - (2 * (model.cx + SAMPLE_X) + 1) / model.width
    P[1, 2] = (2 * (model.cy + SAMPLE_Y) + 1) / model.height - 1
    P[2, 2], P[2, 3] = -(FAR + NEAR) / (FAR - NEAR), -2 * FAR * NEAR / (FAR - NEAR)
    P[3, 2] = -1.0
    return P


class BulletCamera:
    """One camera of a PyBullet world, rendered when it is read.

    `pose` gives `X_WL` (4, 4) of the link that carries the camera, `clock` the stamp in ns.
    """

    def __init__(
        self,
        client: BulletClient,
        model: CameraModel,
        depth: bool,
        pose: Callable[[], FloatArray],
        clock: Callable[[], int],
    ) -> None:
        self._client, self._model, self._depth = client, model, depth
        self._pose, self._clock = pose, clock
        self._projection = _column_major(projection_matrix(model))
        self._columns = ((np.arange(model.width) - model.cx) / model.fx).astype(np.float32)
        self._rows = ((np.arange(model.height) - model.cy) / model.fy).astype(np.float32)
        self._X_WC = np.full((4, 4), np.nan)
        self._table = np.empty((model.height, model.width), dtype=np.float32)

    @property
    def model(self) -> CameraModel:
        """The intrinsics and the mounting."""
        return self._model

    def read(self) -> CameraFrame:
        """Render what is there now."""
        X_WC = self._pose() @ self._model.X_LC
        rgba, depth = self._draw(X_WC)
        if not np.array_equal(X_WC, self._X_WC):
            self._X_WC, self._table = X_WC, self._table_depth(X_WC)
        pixels = rgba.view(np.uint32)[..., 0]  # one assignment a pixel
        np.copyto(pixels, TABLE, where=depth > self._table)
        depth = np.minimum(depth, self._table)
        np.copyto(pixels, BACKGROUND, where=depth > NOTHING)
        rgb = np.ascontiguousarray(rgba[..., :3])
        return CameraFrame(self._clock(), rgb, whole_millimetres(depth) if self._depth else None)

    def close(self) -> None:
        """Nothing to release."""

    def _draw(self, X_WC: FloatArray) -> tuple[ImageArray, Float32Array]:
        """Return rgba (h, w, 4) and distances along the optical axis (h, w) m of all but the table."""
        width, height = self._model.width, self._model.height
        _, _, rgba, buffer, _ = self._client.getCameraImage(
            width,
            height,
            _column_major(np.linalg.inv(X_WC @ OPENGL_OPTICAL)),
            self._projection,
            lightDirection=LIGHT.tolist(),
            lightColor=[1.0, 1.0, 1.0],
            lightAmbientCoeff=AMBIENT,
            lightDiffuseCoeff=DIFFUSE,
            lightSpecularCoeff=0.0,
            shadow=0,
            renderer=pybullet.ER_TINY_RENDERER,
            flags=pybullet.ER_NO_SEGMENTATION_MASK,
        )
        colours = np.array(rgba, dtype=np.uint8).reshape(height, width, 4)
        z = np.asarray(buffer, dtype=np.float32).reshape(height, width)
        return colours, np.float32(FAR * NEAR) / (np.float32(FAR) - np.float32(FAR - NEAR) * z)

    def _table_depth(self, X_WC: FloatArray) -> Float32Array:
        """Return the distance along the optical axis to the plane z = 0 (h, w), infinite above it."""
        sideways, downwards, forwards = X_WC[2, :3].astype(np.float32)
        rise = np.add.outer(downwards * self._rows + forwards, sideways * self._columns)
        depth = -np.float32(X_WC[2, 3]) / np.minimum(rise, np.float32(-1e-6))
        return np.where((depth > NEAR) & (depth < FAR), depth, np.float32(np.inf))


def whole_millimetres(depth: Float32Array) -> DepthArray:
    """Round distances in m to whole millimetres; 0 beyond MAX_DEPTH."""
    metres: DepthArray = np.rint(depth * np.float32(1000.0)) / np.float32(1000.0)
    metres[depth > MAX_DEPTH] = 0.0
    return metres


def _column_major(matrix: npt.NDArray[np.floating[Any]]) -> list[float]:
    return [float(value) for value in matrix.ravel(order="F")]


def _pixel(rgb: FloatArray) -> np.uint32:
    """Return a colour, 0 to 1, as the four bytes of a pixel."""
    return np.uint32(np.append(np.round(255 * rgb), 255).astype(np.uint8).view(np.uint32)[0])


NOTHING = 0.999 * FAR
TABLE = _pixel(np.multiply(TABLE_RGB, AMBIENT + DIFFUSE * LIGHT[2]))
BACKGROUND = _pixel(np.zeros(3))
