import pytest
from sinew_core.hardware import Hardware, load_hardware


@pytest.fixture(scope="session")
def hardware() -> Hardware:
    return load_hardware("sim_mujoco")
