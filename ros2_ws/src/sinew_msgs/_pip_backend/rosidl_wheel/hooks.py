"""The PEP 517 hooks that pip calls."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from rosidl_wheel.compile import compile_libraries
from rosidl_wheel.generate import generate_sources
from rosidl_wheel.pack import write_metadata, write_wheel
from rosidl_wheel.project import read_project
from rosidl_wheel.toolchain import find_toolchain

ConfigSettings = Mapping[str, str | list[str]] | None


def get_requires_for_build_wheel(config_settings: ConfigSettings = None) -> list[str]:
    """Nothing that pip could fetch: the environment is checked when the build starts."""
    return []


def get_requires_for_build_editable(config_settings: ConfigSettings = None) -> list[str]:
    """The same as for a wheel."""
    return []


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: ConfigSettings = None) -> str:
    """Lets pip resolve dependencies before anything is compiled."""
    return write_metadata(read_project(Path.cwd()), Path(metadata_directory))


def prepare_metadata_for_build_editable(
    metadata_directory: str, config_settings: ConfigSettings = None
) -> str:
    """The same as for a wheel."""
    return prepare_metadata_for_build_wheel(metadata_directory, config_settings)


def build_wheel(
    wheel_directory: str,
    config_settings: ConfigSettings = None,
    metadata_directory: str | None = None,
) -> str:
    """Build the wheel in `wheel_directory` and return its file name."""
    toolchain = find_toolchain()
    project = read_project(Path.cwd())
    with tempfile.TemporaryDirectory(prefix=f"{project.name}-") as scratch:
        sources = generate_sources(project, toolchain, Path(scratch) / "generated")
        libraries = compile_libraries(project, toolchain, sources, Path(scratch) / "compiled")
        return write_wheel(project, sources, libraries, Path(wheel_directory))


def build_editable(
    wheel_directory: str,
    config_settings: ConfigSettings = None,
    metadata_directory: str | None = None,
) -> str:
    """The same as a wheel: compiled messages cannot follow edits of their definitions."""
    return build_wheel(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory: str, config_settings: ConfigSettings = None) -> str:
    """Required by PEP 517; not offered."""
    raise NotImplementedError("build from the source folder: there is no source distribution")
