"""Where marks are, what they mean in the room, and that they can be read."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import CameraFrame, Keypoint, Observation
from sinew_perception.geometry import (
    in_box,
    lift,
    meet_height,
    object_mask,
    outline_points,
    posed_camera,
    project,
)
from sinew_perception.visual_prompting.candidates import sample_mask
from sinew_perception.visual_prompting.drawing import draw_side, draw_top
from sinew_perception.visual_prompting.faults import Fault
from sinew_perception.visual_prompting.grid import Grid
from sinew_perception.visual_prompting.lettering import text_size
from sinew_perception.visual_prompting.marks import MarkConfig, Marks, make_marks
from sinew_perception.visual_prompting.placing import Placer

ROBOTS = ["sim_mujoco", "sim_mujoco_fr3"]
CONFIG = MarkConfig()


def marks_of(observation: Observation, hardware: Hardware, config: MarkConfig = CONFIG) -> Marks:
    return make_marks(config, hardware, observation)


def with_top(observation: Observation, **changes: Any) -> Observation:
    frames = dict(observation.frames)
    frames["top"] = replace(frames["top"], **changes)
    return replace(observation, frames=frames)


@pytest.mark.parametrize("name", ROBOTS)
def test_candidates_lie_on_their_objects(name: str, observe: Any) -> None:
    hardware = load_hardware(name)
    for task, seed in (("pick_place", 3), ("stack", 6), ("push", 5)):
        observation = observe(task, seed, name=name)
        marks = marks_of(observation, hardware)
        assert set(marks.by_object()) == set(observation.keypoints)
        for item in marks.candidates:
            keypoint = observation.keypoints[item.object]
            assert in_box(keypoint, item.point[None], 0.003).all(), item
            np.testing.assert_allclose(project(marks.top.camera, item.point[None])[0], item.pixel, atol=1.0)


def test_the_first_candidate_is_in_the_middle_and_the_others_are_apart(
    hardware: Hardware, observe: Any
) -> None:
    marks = marks_of(observe(), hardware)
    for name, group in marks.by_object().items():
        assert len(group) == 3
        middle = observe().keypoints[name].position
        assert np.linalg.norm(group[0].point[:2] - middle[:2]) < 0.008
        radius = np.linalg.norm(group[1].pixel - group[0].pixel)
        assert np.linalg.norm(group[1].pixel - group[2].pixel) > 1.4 * radius


def test_labels_are_counted_through(hardware: Hardware, observe: Any) -> None:
    marks = marks_of(observe("stack", 6), hardware, MarkConfig(candidates=4))
    assert [item.label for item in marks.candidates] == [f"P{i + 1}" for i in range(len(marks.candidates))]
    columns = [group[0].pixel[0] for group in marks.by_object().values()]
    assert columns == sorted(columns)


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_sampling_gives_distinct_pixels_of_the_mask_the_middle_first(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((30, 40), dtype=bool)
    top, left = rng.integers(0, 20, 2)
    mask[top : top + rng.integers(1, 10), left : left + rng.integers(1, 20)] = True
    pixels = sample_mask(mask, count)
    assert 1 <= len(pixels) <= count
    assert len({tuple(pixel) for pixel in pixels.tolist()}) == len(pixels)
    assert all(mask[int(row), int(column)] for column, row in pixels)
    rows, columns = np.nonzero(mask)
    assert np.linalg.norm(pixels[0] - [columns.mean(), rows.mean()]) < 1


@given(st.integers(1, 26), st.integers(1, 12))
def test_every_cell_is_where_its_middle_is(columns: int, rows: int) -> None:
    grid = Grid(columns, rows, 320, 240)
    assert len(grid.cells()) == columns * rows
    for cell in grid.cells():
        assert grid.cell_at(grid.centre(cell)) == cell
    assert grid.cell_at(np.array([-1.0, 5.0])) is None


def test_row_1_is_at_the_bottom_and_column_a_at_the_left() -> None:
    grid = Grid(5, 5, 640, 480)
    np.testing.assert_allclose(grid.centre("a1"), [63.5, 431.5])
    np.testing.assert_allclose(grid.centre("e5"), [575.5, 47.5])


@pytest.mark.parametrize("name", ROBOTS)
def test_cells_and_heights_map_to_points_and_back(name: str, observe: Any) -> None:
    marks = marks_of(observe(name=name), load_hardware(name))
    assert marks.side is not None
    for cell in marks.within:
        for height in marks.levels.heights().values():
            point = meet_height(marks.top.camera, marks.grid.centre(cell)[None], height)[0]
            assert point[2] == height
            pixel = project(marks.top.camera, point[None])[0]
            np.testing.assert_allclose(pixel, marks.grid.centre(cell), atol=1e-6)
    for label, height in marks.levels.heights().items():
        pixel = marks.levels.pixel(marks.side.camera, label)
        assert marks.levels.height_at(marks.side.camera, pixel) == pytest.approx(height, abs=1e-9)
        above = marks.levels.height_at(marks.side.camera, pixel - [0, 1])
        assert 0 < above - height < 0.005  # a pixel up is a little higher


def test_cells_outside_the_workspace_are_not_marked(hardware: Hardware, observe: Any) -> None:
    small = replace(
        hardware.config.safety, workspace_lower=(0.15, -0.1, 0.0), workspace_upper=(0.3, 0.1, 0.3)
    )
    near = replace(hardware, config=replace(hardware.config, safety=small))
    marks = marks_of(observe(), near)
    assert marks.within == ("c2", "c3", "c4") or set(marks.within) < set(marks.grid.cells())
    with pytest.raises(Fault, match="unknown mark: 'a1' lies outside the workspace"):
        marks.candidate("a1")


def test_places_are_kept_within_the_workspace(hardware: Hardware, observe: Any) -> None:
    marks = marks_of(observe(), hardware, MarkConfig(highest=3.0))
    assert marks.place("c3", 3.0)[2] == hardware.config.safety.workspace_upper[2]


@pytest.mark.parametrize("holes", ["none", "many", "all", "missing", "nan"])
def test_holes_in_the_depth_are_filled_from_around_or_from_the_keypoint(
    holes: str, hardware: Hardware, observe: Any
) -> None:
    observation = observe()
    depth = observation.frames["top"].depth.copy()
    whole = {item.object: item.point for item in reversed(marks_of(observation, hardware).candidates)}
    rng = np.random.default_rng(0)
    if holes == "many":
        depth[rng.random(depth.shape) < 0.7] = 0
    elif holes == "all":
        depth[:] = 0
    elif holes == "nan":
        depth[rng.random(depth.shape) < 0.5] = np.nan
    marks = marks_of(with_top(observation, depth=None if holes == "missing" else depth), hardware)
    for name, group in marks.by_object().items():
        assert len(group) == 3
        assert np.isfinite([item.point for item in group]).all()
        assert np.linalg.norm(group[0].point[:2] - whole[name][:2]) < 0.01


def test_an_object_that_the_camera_does_not_see_gets_one_mark_in_its_middle(
    hardware: Hardware, observe: Any
) -> None:
    observation = observe()
    depth = np.full_like(observation.frames["top"].depth, 0.2)  # something large right below the camera
    marks = marks_of(with_top(observation, depth=depth), hardware)
    assert [len(group) for group in marks.by_object().values()] == [1, 1]


def test_an_object_beside_the_image_is_not_marked(hardware: Hardware, observe: Any) -> None:
    observation = observe()
    far = Keypoint(np.array([0.22, 0.9, 0.01]), extent=np.full(3, 0.03), yaw=0.0)
    seen = {**observation.keypoints, "green_cube": far}
    marks = marks_of(replace(observation, keypoints=seen), hardware)
    assert "green_cube" not in marks.by_object()


def test_nothing_in_view_is_said(hardware: Hardware, observe: Any) -> None:
    with pytest.raises(Fault, match="nothing in view"):
        marks_of(replace(observe(), keypoints={}), hardware)


def test_a_camera_that_delivers_nothing_is_named(hardware: Hardware, observe: Any) -> None:
    with pytest.raises(Fault, match="no image: the camera 'top' .* side"):
        marks_of(replace(observe(), frames={"side": observe().frames["side"]}), hardware)


def test_without_a_side_image_the_top_one_is_enough(hardware: Hardware, observe: Any) -> None:
    marks = marks_of(replace(observe(), frames={"top": observe().frames["top"]}), hardware)
    assert marks.side is None


@pytest.mark.parametrize("shape", [(480, 640, 3), (240, 320), (240, 320, 4), (0, 0, 3)])
def test_an_image_of_the_wrong_size_is_said(shape: tuple[int, ...], hardware: Hardware, observe: Any) -> None:
    wrong = with_top(observe(), rgb=np.zeros(shape, np.uint8))
    with pytest.raises(Fault, match="wrong image: camera 'top': got"):
        marks_of(wrong, hardware)


def test_depth_of_the_wrong_size_is_said(hardware: Hardware, observe: Any) -> None:
    wrong = with_top(observe(), depth=np.ones((120, 160), np.float32))
    with pytest.raises(Fault, match="wrong image: camera 'top': got depth of 120x160, expected 240x320"):
        marks_of(wrong, hardware)


def test_small_images_are_enlarged_before_they_are_drawn_on(hardware: Hardware, observe: Any) -> None:
    marks = marks_of(observe(), hardware)
    assert marks.side is not None
    before = marks.top.rgb.copy()
    assert draw_top(marks, 640).shape == draw_side(marks.side, marks, 640).shape == (480, 640, 3)
    assert draw_top(marks, 900).shape == (720, 960, 3)
    assert np.array_equal(before, marks.top.rgb)


def test_dots_are_drawn_within_a_pixel_of_their_points(hardware: Hardware, observe: Any) -> None:
    marks = marks_of(observe(), hardware)
    image = draw_top(marks, 640).astype(int)
    dots = (abs(image - [255, 70, 160]).sum(axis=2)) < 60
    for item in marks.candidates:
        column, row = (project(marks.top.camera, item.point[None])[0] + 0.5) * 2 - 0.5
        window = dots[round(row) - 3 : round(row) + 4, round(column) - 3 : round(column) + 4]
        rows, columns = np.nonzero(window)
        assert len(rows) > 20
        assert (
            np.hypot(rows.mean() - 3 - (row - round(row)), columns.mean() - 3 - (column - round(column))) < 2
        )


def crowded(count: int, rng: np.random.Generator) -> dict[str, Keypoint]:
    """Objects a jaw's width apart, as tasks lay them out."""
    placed: dict[str, Keypoint] = {}
    while len(placed) < count:
        x, y = rng.uniform([0.16, -0.11], [0.27, 0.11])
        size = np.full(3, 0.028)
        if all(np.hypot(x - k.position[0], y - k.position[1]) > 0.045 for k in placed.values()):
            placed[f"red_cube_{len(placed)}"] = Keypoint(
                np.array([x, y, 0.014]), extent=size, yaw=rng.uniform(-1, 1)
            )
    return placed


def test_labels_of_seven_objects_neither_overlap_nor_hide_dots(hardware: Hardware, observe: Any) -> None:
    for seed in range(10):
        scene = crowded(7, np.random.default_rng(seed))
        observation = with_top(replace(observe(), keypoints=scene), depth=None)
        marks = marks_of(observation, hardware)
        points = np.array([item.pixel for item in marks.candidates]) * 2 + 0.5
        placer = Placer(marks.objects.repeat(2, axis=0).repeat(2, axis=1), points)
        boxes = []
        for i, item in enumerate(marks.candidates):
            size = text_size(item.label, 17)
            middle = marks.by_object()[item.object][0].pixel * 2 + 0.5
            corner = placer.beside(i, middle, size)
            boxes.append((*corner, *(corner + size)))
            assert (corner >= 0).all()
            assert (corner + size <= [640, 480]).all()
        for a, b in combinations(boxes, 2):
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (seed, a, b)
        for left, top, right, bottom in boxes:
            x, y = points.T
            assert not ((x > left) & (x < right) & (y > top) & (y < bottom)).any()


def test_a_mask_is_the_object_and_nothing_of_the_table(hardware: Hardware, observe: Any) -> None:
    observation = observe()
    camera = posed_camera(hardware, "top", observation.joints)
    frame: CameraFrame = observation.frames["top"]
    mask = object_mask(camera, frame.depth, observation.keypoints["blue_cylinder"])
    blue = frame.rgb[:, :, 2].astype(int) - frame.rgb[:, :, 0] > 60
    assert mask.sum() > 100
    assert (mask & ~blue).sum() < 0.1 * mask.sum()
    assert (mask & blue).sum() > 0.8 * blue.sum()


@given(st.integers(0, 2**32 - 1))
def test_lifting_undoes_projecting(seed: int) -> None:
    hardware = load_hardware("sim_mujoco")
    rng = np.random.default_rng(seed)
    from sinew_core.types import JointState

    home = hardware.robot.home
    camera = posed_camera(hardware, "side", JointState(0, home, np.zeros(len(home))))
    points = rng.uniform([0.1, -0.1, 0.0], [0.3, 0.1, 0.1], (5, 3))
    depth = (points - camera.X_BC[:3, 3]) @ camera.X_BC[:3, 2]
    np.testing.assert_allclose(lift(camera, project(camera, points), depth), points, atol=1e-9)
    behind = camera.X_BC[:3, 3] - camera.X_BC[:3, 2]
    assert np.isnan(project(camera, behind[None])).all()


def test_the_outline_of_a_box_are_its_corners() -> None:
    box = Keypoint(np.array([0.2, 0.1, 0.02]), extent=np.array([0.06, 0.02, 0.04]), yaw=np.pi / 2)
    corners = outline_points(box)
    np.testing.assert_allclose(corners.min(axis=0), [0.19, 0.07, 0.0], atol=1e-12)
    np.testing.assert_allclose(corners.max(axis=0), [0.21, 0.13, 0.04], atol=1e-12)
    assert in_box(box, corners, 0.003)[4:].all()


@pytest.mark.parametrize(
    "wrong",
    [{"columns": 0}, {"columns": 27}, {"rows": 0}, {"candidates": 0}, {"levels": 1}, {"highest": 0.0}],
)
def test_impossible_marks_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        MarkConfig(**wrong)


def test_heights_are_evenly_spaced(hardware: Hardware, observe: Any) -> None:
    heights = [*marks_of(observe(), hardware).levels.heights().values()]
    assert (heights[0], heights[-1], len(heights)) == (0.0, pytest.approx(0.20), 6)
    assert all(b - a == pytest.approx(0.04) for a, b in pairwise(heights))
    assert all(re.fullmatch(r"h\d", label) for label in marks_of(observe(), hardware).levels.heights())
