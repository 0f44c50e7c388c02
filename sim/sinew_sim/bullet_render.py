"""Cameras of a PyBullet station: exact pinhole images by PyBullet's own software renderer.

Nearly all of that renderer's time goes into large triangles. So the table is not drawn but painted: a
plane under a distant light has one colour, and its depth along a ray is a quotient.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pybullet
from pybullet_utils.bullet_client import BulletClient
from sinew_core.types import CameraFrame, CameraModel, DepthArray, FloatArray, ImageArray

from sinew_sim.scene import TABLE_RGB

NEAR, FAR = 0.01, 5.0  # m along the optical axis
TABLE_LOWER, TABLE_UPPER = (-0.8, -1.2), (1.6, 1.2)  # m, the rectangle that is painted
BACKGROUND_RGB = (0.35, 0.36, 0.38)
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
        rgb, depth = self._draw(X_WC)
        if not np.array_equal(X_WC, self._X_WC):
            self._X_WC, self._table = X_WC, self._table_depth(X_WC)
        rgb[depth >= FAR * 0.999] = BACKGROUND
        hidden = depth > self._table
        rgb[hidden] = TABLE
        depth = np.where(hidden, self._table, depth)
        if not self._depth:
            return CameraFrame(self._clock(), rgb)
        depth[depth >= FAR * 0.999] = 0.0
        return CameraFrame(self._clock(), rgb, _whole_millimetres(depth))

    def close(self) -> None:
        """Nothing to release."""

    def _draw(self, X_WC: FloatArray) -> tuple[ImageArray, Float32Array]:
        """Return the colours and the distances along the optical axis (m) of everything but the table."""
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
        rgb = np.array(rgba, dtype=np.uint8).reshape(height, width, 4)[..., :3].copy()
        z = np.asarray(buffer, dtype=np.float32).reshape(height, width)
        return rgb, (FAR * NEAR / (FAR - (FAR - NEAR) * z)).astype(np.float32)

    def _table_depth(self, X_WC: FloatArray) -> Float32Array:
        """Return the distance along the optical axis to the table (h, w), infinite where there is none."""
        R, eye = X_WC[:3, :3].astype(np.float32), X_WC[:3, 3].astype(np.float32)

        def rays(axis: int) -> Float32Array:
            sloped = R[axis, 1] * self._rows + R[axis, 2]
            return np.add.outer(sloped, R[axis, 0] * self._columns)

        depth = -eye[2] / np.minimum(rays(2), -1e-6)
        outside = np.abs(rays(0) * depth + (eye[0] - TABLE_MIDDLE[0])) > TABLE_HALF[0]
        outside |= np.abs(rays(1) * depth + (eye[1] - TABLE_MIDDLE[1])) > TABLE_HALF[1]
        depth[outside | (depth < NEAR)] = np.inf
        return np.asarray(depth, dtype=np.float32)


def _whole_millimetres(depth: Float32Array) -> DepthArray:
    return (np.round(depth * 1000) / 1000).astype(np.float32)


def _column_major(matrix: FloatArray) -> list[float]:
    return [float(value) for value in matrix.ravel(order="F")]


def _bytes(rgb: tuple[float, float, float] | FloatArray) -> ImageArray:
    return np.round(255 * np.asarray(rgb)).astype(np.uint8)


TABLE = _bytes(np.multiply(TABLE_RGB, AMBIENT + DIFFUSE * LIGHT[2]))
BACKGROUND = _bytes(BACKGROUND_RGB)
TABLE_MIDDLE = np.add(TABLE_LOWER, TABLE_UPPER).astype(np.float32) / 2
TABLE_HALF = np.subtract(TABLE_UPPER, TABLE_LOWER).astype(np.float32) / 2
