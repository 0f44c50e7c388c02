"""The MuJoCo model of a robot at its table with a scene's objects, from the same URDF that ROS tools read."""

from __future__ import annotations

import sinew_sim.mujoco_gl  # noqa: F401 - before mujoco, which reads the choice when imported

# isort: split
import mujoco
import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.robot import Robot
from sinew_core.types import CameraModel

from sinew_sim.scene import (
    FINGER_FRICTION,
    ROLLING_FRICTION,
    TABLE_FRICTION,
    TABLE_RGB,
    TORSIONAL_FRICTION,
    Part,
    PlacedObject,
    Scene,
)

COLLISION_GROUP, VISUAL_GROUP = 0, 1  # as MuJoCo reads a URDF
EXTENT = 1.0  # m; fixed, since the clipping planes are multiples of it
NEAR, FAR = 0.01, 10.0  # m
TABLE_HALF_SIZE = (4.0, 4.0, 0.02)  # m, of what is seen
HARD_SOLREF = (0.004, 1.0)  # s, damping ratio; two timesteps are the shortest that is stable
HARD_SOLIMP = (0.98, 0.99, 0.001, 0.5, 2.0)
# The geared rotor's inertia, as a share of that which would make the servo critically damped. Without
# it a stiff grip has next to no inertia to act on, and the integration of its contacts blows up.
ROTOR = 0.2
SOFT_GRIP = 4  # contact dimensions: sliding in two directions, and torsion
ROLLING = 6  # and rolling, so that round things come to rest


def base_spec(hardware: Hardware, timestep: float) -> mujoco.MjSpec:
    """Return the robot at home at an empty table, with servos, cameras and light."""
    robot = hardware.robot
    spec = _robot_spec(robot)
    _set_options(spec, timestep)
    _add_servos(spec, robot)
    _add_table_and_light(spec)
    for camera in hardware.cameras.values():
        add_camera(spec, camera, robot.base_link)
    return spec


def scene_model(base: mujoco.MjSpec, scene: Scene) -> mujoco.MjModel:
    """Compile the base with a scene's objects added; takes a few milliseconds."""
    spec = base.copy()
    for placed in scene.objects:
        _add_object(spec, placed)
    return spec.compile()


def _robot_spec(robot: Robot) -> mujoco.MjSpec:
    try:
        spec = mujoco.MjSpec.from_file(str(robot.urdf))
    except ValueError as error:
        raise ConfigError(f"{robot.urdf}: MuJoCo cannot read it: {error}") from error
    for geom in spec.geoms:
        geom.friction[0] = FINGER_FRICTION
        geom.condim = SOFT_GRIP
        _harden(geom)
    for equality in spec.equalities:  # fingers driven by one motor
        equality.solref[:], equality.solimp[:] = HARD_SOLREF, HARD_SOLIMP
    return spec


def _harden(geom: mujoco.MjsGeom) -> None:
    """Make contacts stiff: the usual softness lets a strong gripper sink into a light object."""
    geom.solref[:], geom.solimp[:] = HARD_SOLREF, HARD_SOLIMP


def _set_options(spec: mujoco.MjSpec, timestep: float) -> None:
    spec.option.timestep = timestep
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10.0  # a held object creeps out of the fingers otherwise
    spec.stat.extent = EXTENT
    spec.visual.map.znear, spec.visual.map.zfar = NEAR / EXTENT, FAR / EXTENT
    # Drawn in software: shadows and multisampling would be most of a frame's cost, fine meshes the rest.
    quality = spec.visual.quality
    quality.shadowsize, quality.offsamples = 0, 0
    quality.numslices, quality.numstacks, quality.numquads = 20, 10, 1


def _add_servos(spec: mujoco.MjSpec, robot: Robot) -> None:
    """One position servo a commanded joint: torque = stiffness * (target - position) - damping * velocity."""
    for i, name in enumerate(robot.joint_names):
        servo = spec.add_actuator(name=name, target=name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
        servo.set_to_position(kp=robot.stiffness[i], kv=robot.damping[i])
        servo.forcelimited = True
        servo.forcerange = (-robot.effort[i], robot.effort[i])
        followers = [follower for follower, (leader, _, _) in robot.mimic.items() if leader == name]
        for joint in (name, *followers):
            spec.joint(joint).armature = ROTOR * robot.damping[i] ** 2 / (4 * robot.stiffness[i])


def _add_table_and_light(spec: mujoco.MjSpec) -> None:
    table = spec.worldbody.add_geom(name="table", type=mujoco.mjtGeom.mjGEOM_PLANE, size=(0.0, 0.0, 1.0))
    table.group = COLLISION_GROUP
    table.friction = (TABLE_FRICTION, TORSIONAL_FRICTION, ROLLING_FRICTION)
    # What is seen is a box: the plane is drawn in many tiles, at the cost of a whole arm.
    top = spec.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_BOX, size=TABLE_HALF_SIZE)
    top.pos = (0.0, 0.0, -TABLE_HALF_SIZE[2])
    top.group, top.rgba = VISUAL_GROUP, (*TABLE_RGB, 1.0)
    top.contype = top.conaffinity = 0
    spec.visual.headlight.active = False
    sun = spec.worldbody.add_light(name="sun", type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
    sun.pos, sun.dir = (0.4, -0.6, 1.5), (-0.25, 0.4, -1.0)
    sun.ambient, sun.diffuse, sun.specular = (0.47, 0.47, 0.48), (0.60, 0.59, 0.56), (0.10, 0.10, 0.10)
    sun.castshadow = False


def add_camera(spec: mujoco.MjSpec, camera: CameraModel, base_link: str) -> None:
    """Mount a camera; MuJoCo's looks along -z with y up, the optical frame along z with y down."""
    body = spec.worldbody if camera.link == base_link else spec.body(camera.link)
    quaternion = np.empty(4)
    mujoco.mju_mat2Quat(quaternion, (camera.X_LC[:3, :3] @ np.diag([1.0, -1.0, -1.0])).ravel())
    mounted = body.add_camera(name=camera.name)
    mounted.pos, mounted.quat = camera.X_LC[:3, 3], quaternion
    mounted.fovy = np.degrees(2 * np.arctan(camera.height / 2 / camera.fy))
    mounted.resolution = (camera.width, camera.height)


def _add_object(spec: mujoco.MjSpec, placed: PlacedObject) -> None:
    body = spec.worldbody.add_body(name=placed.spec.name, pos=placed.position, quat=placed.quaternion)
    if not placed.spec.static:
        body.add_freejoint()
    parts = placed.spec.parts()
    for part in parts:
        geom = _add_part(body, part)
        geom.mass = placed.spec.mass / len(parts)
        geom.rgba = (*placed.spec.rgb, 1.0)
        geom.group = VISUAL_GROUP
        geom.condim = SOFT_GRIP if part.kind == "box" else ROLLING
        geom.friction = (TABLE_FRICTION, TORSIONAL_FRICTION, ROLLING_FRICTION)
        _harden(geom)
        if not placed.spec.collides:
            geom.contype = geom.conaffinity = 0


def _add_part(body: mujoco.MjsBody, part: Part) -> mujoco.MjsGeom:
    kinds = {
        "box": mujoco.mjtGeom.mjGEOM_BOX,
        "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
        "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
    }
    return body.add_geom(type=kinds[part.kind], size=part.size, pos=part.position, quat=part.quaternion)
