from collections.abc import Iterator

import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_teleop.terminal import RawTerminal

from tests.teleop.hand import FakeTime, keyboard_line


@pytest.fixture(scope="session", params=["sim_mujoco", "sim_mujoco_fr3"])
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


@pytest.fixture(scope="session")
def so101() -> Hardware:
    return load_hardware("sim_mujoco")


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def line() -> Iterator[tuple[int, RawTerminal]]:
    with keyboard_line() as both:
        yield both
