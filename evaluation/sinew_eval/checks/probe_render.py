"""Draws 16x16 pixels with MuJoCo and $MUJOCO_GL, and says how long that took."""

from __future__ import annotations

import time

import mujoco

SCENE = """
<mujoco>
  <visual><quality shadowsize="0" offsamples="0"/></visual>
  <worldbody>
    <light pos="0 0 2"/>
    <camera name="eye" pos="0 0 1"/>
    <geom type="box" size="1 1 0.1" rgba="0.9 0.2 0.2 1"/>
  </worldbody>
</mujoco>
"""


def main() -> None:
    """Draw a red box that fills the picture; a black one is a failure."""
    model = mujoco.MjModel.from_xml_string(SCENE)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with mujoco.Renderer(model, 16, 16) as renderer:
        renderer.update_scene(data, "eye")
        begin = time.perf_counter()
        pixels = renderer.render()
        took = time.perf_counter() - begin
    if pixels.max() == 0:
        raise SystemExit("drawn, but black")
    print(f"16x16 pixels in {1000 * took:.1f} ms")


if __name__ == "__main__":
    main()
