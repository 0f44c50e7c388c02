"""Drawing the pictures to learn from: colour, height above the table, and which object is where."""

from __future__ import annotations

from dataclasses import dataclass

import sinew_sim.mujoco_gl as gl

# isort: split
import cv2
import mujoco
import numpy as np
import numpy.typing as npt
from sinew_core.hardware import Hardware
from sinew_core.types import CameraModel, DepthArray, ImageArray
from sinew_sim.mujoco_model import COLLISION_GROUP, VISUAL_GROUP, base_spec, scene_model
from sinew_sim.mujoco_render import MAX_GEOMS, metric_depth
from sinew_sim.scene import Scene

from sinew_perception.ground.dataset import MAX_THINGS
from sinew_perception.ground.lexicon import FAMILIES, SHAPES
from sinew_perception.ground.scenes import Picture
from sinew_perception.ground.views import HEIGHT, STRIDE, WIDTH, height_image

ROBOT_GROUP = 2  # a geometry group of its own, so that the arm can be left out
Cells = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with its truth; cells are STRIDE x STRIDE pixels."""

    rgb: ImageArray  # (HEIGHT, WIDTH, 3)
    heights: ImageArray  # (HEIGHT, WIDTH) above the table: see `height_image`
    cover: Cells  # (rows, columns) pixels of the cell, of 16, that are some thing's
    thing: Cells  # (rows, columns) 1 + the index of the thing that has most of the cell; 0 for none
    families: Cells  # (MAX_THINGS,) index into FAMILIES
    shapes: Cells  # (MAX_THINGS,) index into SHAPES
    seen: npt.NDArray[np.float32]  # (MAX_THINGS,) share of what would be seen without the arm; 0 for no thing
    centres: npt.NDArray[np.float32]  # (MAX_THINGS, 3) m, base frame


class PictureRenderer:
    """Draws pictures of one robot; one graphics context, used by one thread."""

    def __init__(self, hardware: Hardware) -> None:
        self._hardware = hardware
        self._base = base_spec(hardware, 0.002)
        for geom in self._base.geoms:
            if geom.group == VISUAL_GROUP and geom.parent.name not in ("world", ""):
                geom.group = ROBOT_GROUP
        self._gl = gl.make_context(WIDTH, HEIGHT)
        self._option = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._context: mujoco.MjrContext | None = None

    def draw(self, picture: Picture) -> tuple[ImageArray, DepthArray, Sample]:
        """Return colour, depth (m) and the sample; all of HEIGHT x WIDTH."""
        placed = tuple(thing.placed for thing in picture.things)
        model = scene_model(self._base, Scene(placed, "", None))
        data = mujoco.MjData(model)
        self._set(model, data, picture)
        with self._gl.as_current():
            if self._context is None:
                self._context = _make_context(model)
            rgb, depth, ids = self._render(model, data, robot=True)
            _, _, without = self._render(model, data, robot=False)
        return rgb, depth, _sample(self._hardware, picture, rgb, depth, ids, without)

    def close(self) -> None:
        """Free the graphics context."""
        if self._context is not None:
            with self._gl.as_current():
                self._context.free()
        self._gl.free()

    def _set(self, model: mujoco.MjModel, data: mujoco.MjData, picture: Picture) -> None:
        look, robot = picture.look, self._hardware.robot
        for name, position in zip(robot.joint_names, look.joints, strict=True):
            data.qpos[model.joint(name).qposadr[0]] = position
        for follower, (leader, scale, offset) in robot.mimic.items():
            at = look.joints[robot.joint_names.index(leader)]
            data.qpos[model.joint(follower).qposadr[0]] = scale * at + offset
        table = [
            i for i in range(model.ngeom) if model.geom_bodyid[i] == 0 and model.geom_group[i] == VISUAL_GROUP
        ]
        model.geom_rgba[table, :3] = look.table
        if look.light is not None:
            model.light_dir[0] = np.array(look.light.direction) / np.linalg.norm(look.light.direction)
            model.light_ambient[0], model.light_diffuse[0] = look.light.ambient, look.light.diffuse
        _set_camera(model, look.camera)
        self._camera.fixedcamid = model.camera(look.camera.name).id
        mujoco.mj_forward(model, data)

    def _render(
        self, model: mujoco.MjModel, data: mujoco.MjData, robot: bool
    ) -> tuple[ImageArray, DepthArray, npt.NDArray[np.int32]]:
        """Return colour, depth and the body of each pixel, -1 for none."""
        self._option.geomgroup[COLLISION_GROUP] = 0
        self._option.geomgroup[ROBOT_GROUP] = int(robot)
        scene = mujoco.MjvScene(model, maxgeom=MAX_GEOMS)
        mujoco.mjv_updateScene(
            model, data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, scene
        )
        rgb, depth = np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.zeros((HEIGHT, WIDTH), np.float32)
        rectangle = mujoco.MjrRect(0, 0, WIDTH, HEIGHT)
        if robot:
            mujoco.mjr_render(rectangle, scene, self._context)
            mujoco.mjr_readPixels(rgb, depth, rectangle, self._context)
            depth = metric_depth(depth)
        scene.flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = 1
        scene.flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = 1
        coded = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        mujoco.mjr_render(rectangle, scene, self._context)
        mujoco.mjr_readPixels(coded, None, rectangle, self._context)
        number = coded.astype(np.int32) @ np.array([1, 256, 65536], np.int32) - 1
        bodies = np.full(scene.ngeom + 1, -1, np.int32)
        for geom in scene.geoms[: scene.ngeom]:
            if geom.objtype == mujoco.mjtObj.mjOBJ_GEOM and geom.segid >= 0:
                bodies[geom.segid] = model.geom_bodyid[geom.objid]
        return np.ascontiguousarray(rgb[::-1]), depth[::-1].copy(), bodies[number[::-1]]


def _set_camera(model: mujoco.MjModel, camera: CameraModel) -> None:
    i = model.camera(camera.name).id
    quaternion = np.empty(4)
    mujoco.mju_mat2Quat(quaternion, (camera.X_LC[:3, :3] @ np.diag([1.0, -1.0, -1.0])).ravel())
    model.cam_pos[i], model.cam_quat[i] = camera.X_LC[:3, 3], quaternion
    model.cam_fovy[i] = np.degrees(2 * np.arctan(camera.height / 2 / camera.fy))


def _make_context(model: mujoco.MjModel) -> mujoco.MjrContext:
    model.vis.global_.offwidth, model.vis.global_.offheight = WIDTH, HEIGHT
    context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, context)
    context.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
    return context


def _sample(
    hardware: Hardware,
    picture: Picture,
    rgb: ImageArray,
    depth: DepthArray,
    bodies: npt.NDArray[np.int32],
    without: npt.NDArray[np.int32],
) -> Sample:
    count = len(picture.things)
    first = bodies_before_things(hardware)
    pixels = _of_things(bodies, first, count)
    everything = _of_things(without, first, count)
    cover, thing = cells(pixels, count)
    shown = np.array([(pixels == i + 1).sum() for i in range(count)])
    whole = np.array([(everything == i + 1).sum() for i in range(count)])
    positions = np.reshape([item.placed.position for item in picture.things], (-1, 3))
    X_BC = picture.look.camera.X_LC
    return Sample(
        rgb,
        height_image(depth, picture.look.camera, X_BC),
        cover,
        thing,
        _padded([FAMILIES.index(item.family) for item in picture.things]),
        _padded([SHAPES.index(item.shape) for item in picture.things]),
        np.pad(shown / np.maximum(whole, 40), (0, MAX_THINGS - count)).astype(np.float32),
        np.pad(positions, ((0, MAX_THINGS - count), (0, 0))).astype(np.float32),
    )


def bodies_before_things(hardware: Hardware) -> int:
    """Return the number of the first thing's body: things are added last, in their order."""
    return int(mujoco.MjModel.from_xml_path(str(hardware.robot.urdf)).nbody)


def _of_things(bodies: npt.NDArray[np.int32], first: int, count: int) -> npt.NDArray[np.int32]:
    inside = (bodies >= first) & (bodies < first + count)
    return np.where(inside, bodies - first + 1, 0).astype(np.int32)


def cells(pixels: npt.NDArray[np.int32], count: int) -> tuple[Cells, Cells]:
    """Return how many pixels of each cell belong to things, and 1 + the thing with most of it, 0 for none."""
    rows, columns = HEIGHT // STRIDE, WIDTH // STRIDE
    blocks = pixels.reshape(rows, STRIDE, columns, STRIDE)
    counts = np.stack([(blocks == i).sum(axis=(1, 3)) for i in range(count + 1)])
    cover = STRIDE * STRIDE - counts[0]
    best = counts[1:].argmax(axis=0) + 1 if count else np.zeros((rows, columns), int)
    return cover.astype(np.uint8), np.where(cover > 0, best, 0).astype(np.uint8)


def _padded(values: list[int]) -> Cells:
    return np.pad(np.array(values, dtype=np.uint8), (0, MAX_THINGS - len(values)))


def worsen(rng: np.random.Generator, rgb: ImageArray) -> ImageArray:
    """Return an image as a cheaper camera would deliver it: blurred or JPEG-compressed, or as it is."""
    draw = rng.uniform()
    if draw < 0.2:
        return np.asarray(cv2.GaussianBlur(rgb, (0, 0), float(rng.uniform(0.5, 1.3))), np.uint8)
    if draw < 0.45:
        _, code = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 95))])
        return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    return rgb
