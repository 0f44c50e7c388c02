from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import due_cameras, load_hardware
from sinew_core.robot import load_robot

from tests.core.conftest import ROBOTS, write_hardware

CONFIGS = sorted((ROBOTS.parent).glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_hardware_file_loads(path):
    assert load_hardware(str(path)).name == path.stem


def test_an_unknown_hardware_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="unknown hardware 'sim_mujocco'. Did you mean 'sim_mujoco'"):
        load_hardware("sim_mujocco")


def test_a_misspelt_key_is_named_with_its_file(tmp_path):
    path = write_hardware(tmp_path)
    path.write_text(path.read_text().replace("control_period", "control_periode"))
    with pytest.raises(ConfigError, match=r"fake\.yaml: unknown key 'control_periode'. Did you mean"):
        load_hardware(str(path))


def test_a_camera_on_a_link_that_is_not_there_is_refused(tmp_path):
    path = write_hardware(tmp_path)
    path.write_text(path.read_text().replace("    width: 64", "    link: elbowx\n    width: 64"))
    with pytest.raises(ConfigError, match="link .elbowx."):
        load_hardware(str(path))


def test_a_camera_looks_where_it_is_told(hardware):
    model = hardware.cameras["top"]
    X = model.X_LC
    np.testing.assert_allclose(X[:3, :3] @ X[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(X[:3, :3]) == pytest.approx(1)
    np.testing.assert_allclose(X[:3, 2], [0, 0, -1], atol=1e-12)  # looks down
    np.testing.assert_allclose(-X[:3, 1], [1, 0, 0], atol=1e-12)  # forward is up in the picture
    assert 2 * np.degrees(np.arctan(model.height / 2 / model.fy)) == pytest.approx(50)


def test_cameras_are_due_every_so_many_periods(hardware):
    cameras = dict(hardware.config.cameras)
    assert due_cameras(cameras, 3) == ["top"]
    object.__setattr__(cameras["top"], "every", 2)
    assert [bool(due_cameras(cameras, i)) for i in range(4)] == [True, False, True, False]
    object.__setattr__(cameras["top"], "every", 0)
    assert due_cameras(cameras, 0) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("elbow_flex:", "elbow_flax:", "'elbow_flax' is no movable joint"),
        ("tip_link: gripper_tip", "tip_link: griper_tip", "no link 'griper_tip'. Did you mean 'gripper_tip'"),
        ("shoulder_pan: {lower: -1.9", "shoulder_pan: {lower: -9.9", "leaves the URDF's"),
        ("gripper: {joint: gripper", "gripper: {joint: griper", "gripper.joint: unknown joint 'griper'"),
        ("lower: -1.9", "lower: 2.5", "expected lower <= home <= upper"),
    ],
)
def test_a_robot_whose_urdf_does_not_match_is_refused(tmp_path, old, new, sentence):
    text = (ROBOTS / "so101" / "robot.yaml").read_text()
    assert old in text
    (tmp_path / "robot.urdf").write_text((ROBOTS / "so101" / "robot.urdf").read_text())
    (tmp_path / "robot.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load_robot(tmp_path)
    assert sentence in str(error.value)
    assert "robot.yaml" in str(error.value)


def test_a_joint_that_the_yaml_leaves_out_is_named(tmp_path):
    lines = (ROBOTS / "so101" / "robot.yaml").read_text().splitlines(keepends=True)
    (tmp_path / "robot.urdf").write_text((ROBOTS / "so101" / "robot.urdf").read_text())
    (tmp_path / "robot.yaml").write_text("".join(line for line in lines if "wrist_roll:" not in line))
    with pytest.raises(ConfigError, match="has wrist_roll, which is not listed"):
        load_robot(tmp_path)


@pytest.mark.parametrize("text", ["<robot", "<robot><joint name='a' type='floating'/></robot>"])
def test_a_broken_urdf_is_named(tmp_path, text):
    (tmp_path / "robot.yaml").write_text((ROBOTS / "so101" / "robot.yaml").read_text())
    (tmp_path / "robot.urdf").write_text(text)
    with pytest.raises(ConfigError, match=r"robot\.urdf"):
        load_robot(tmp_path)


def test_aperture_and_gripper_position_are_inverse():
    robot = load_robot(Path(ROBOTS / "so101"))
    q = robot.home.copy()
    q[robot.gripper_index] = robot.gripper_position(0.3)
    assert robot.aperture(q) == pytest.approx(0.3)
