"""Compile the generated sources into the libraries that rclpy loads."""

import os
import subprocess
import sysconfig
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rosidl_wheel.generate import Sources
from rosidl_wheel.progress import Progress
from rosidl_wheel.project import Project
from rosidl_wheel.toolchain import Toolchain

# Typesupports that rclpy may ask a Python package for.
EXTENSION_TYPESUPPORTS = ("c", "fastrtps_c", "introspection_c")


@dataclass(frozen=True, slots=True)
class Libraries:
    """What rclpy loads."""

    shared: tuple[Path, ...]  # go to <prefix>/lib
    extensions: tuple[Path, ...]  # go into the Python package


@dataclass(frozen=True, slots=True)
class _Target:
    """A shared library: its sources and the sibling libraries that it links."""

    output: Path
    sources: tuple[Path, ...]
    siblings: tuple[str, ...]
    generator: str  # links the same generator's library of every dependency
    extension: bool = False


def compile_libraries(project: Project, toolchain: Toolchain, sources: Sources, output: Path) -> Libraries:
    """Compile on every core, then link in dependency order."""
    output.mkdir(parents=True)
    targets = _targets(project.name, sources, output)
    units = [(source, _object(source, sources, output)) for t in targets for source in t.sources]
    progress = Progress(project.name, len(units) + len(targets))
    flags = _compile_flags(toolchain, sources)
    environment = _clean_environment()

    def compile_one(unit: tuple[Path, Path]) -> None:
        source, compiled = unit
        compiler = toolchain.cxx if source.suffix == ".cpp" else toolchain.cc
        compiled.parent.mkdir(parents=True, exist_ok=True)
        _run([compiler, *flags, "-c", str(source), "-o", str(compiled)], environment)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        units.sort(key=lambda unit: -unit[0].stat().st_size)  # largest first: no long tail
        for (source, _), _ in zip(units, pool.map(compile_one, units), strict=True):
            progress.advance(f"compiled {source.name}")
    for target in targets:
        _run(_link_command(project.name, toolchain, sources, target, output), environment)
        progress.advance(f"linked {target.output.name}")
    return Libraries(
        tuple(t.output for t in targets if not t.extension),
        tuple(t.output for t in targets if t.extension),
    )


def _targets(name: str, sources: Sources, output: Path) -> list[_Target]:
    """Every library, each after the ones it links."""

    def library(generator: str, pattern: str, *siblings: str) -> _Target:
        found = sorted((sources.roots[generator] / name).glob(pattern))
        path = output / f"lib{name}__rosidl_{generator}.so"
        return _Target(path, tuple(found), siblings, generator)

    def extension(typesupport: str) -> _Target:
        source = f"_{name}_s.ep.rosidl_typesupport_{typesupport}.c"
        path = output / f"{name}_s__rosidl_typesupport_{typesupport}.so"
        siblings = ("generator_py", f"typesupport_{typesupport}", "typesupport_c", "generator_c")
        found = sources.roots["generator_py"] / name / source
        return _Target(path, (found,), siblings, f"typesupport_{typesupport}", extension=True)

    return [
        library("generator_c", "*/detail/*.c"),
        library("typesupport_fastrtps_c", "*/detail/*.cpp", "generator_c"),
        library("typesupport_introspection_c", "*/detail/*.c", "generator_c"),
        library("typesupport_c", "*/*.cpp", "generator_c"),
        library("generator_py", "*/*_s.c", "generator_c", "typesupport_c"),
        *map(extension, EXTENSION_TYPESUPPORTS),
    ]


def _object(source: Path, sources: Sources, output: Path) -> Path:
    return output / "objects" / f"{source.relative_to(sources.share.parent)}.o"


def _compile_flags(toolchain: Toolchain, sources: Sources) -> list[str]:
    include = toolchain.prefix / "include"
    # The ROS wheels install each package's headers in include/<package>/<package>.
    folders = [*sources.roots.values(), include, *(p for p in sorted(include.iterdir()) if p.is_dir())]
    folders += [toolchain.python_include, toolchain.numpy_include]
    return ["-O2", "-fPIC", "-w", "-DNDEBUG", *(f"-I{folder}" for folder in folders)]


def _link_command(
    name: str, toolchain: Toolchain, sources: Sources, target: _Target, output: Path
) -> list[str]:
    lib = toolchain.prefix / "lib"
    # From the Python package inside site-packages, or from lib itself, to lib.
    package = Path(sysconfig.get_path("platlib")) / name
    rpath = os.path.relpath(lib, package) if target.extension else "."
    return [
        toolchain.cxx,
        "-shared",
        *(str(_object(source, sources, output)) for source in target.sources),
        *("-o", str(target.output), f"-L{output}", f"-L{lib}"),
        *(f"-l{name}__rosidl_{sibling}" for sibling in target.siblings),
        *_dependency_libraries(lib, sources.dependencies, target.generator),
        # ROS's own libraries resolve each other when they are loaded.
        *(f"-Wl,-rpath,$ORIGIN/{rpath}", "-Wl,--allow-shlib-undefined"),
    ]


def _dependency_libraries(lib: Path, dependencies: Sequence[str], generator: str) -> list[str]:
    """The same generator's library of every dependency, and the run-time libraries."""
    stems = [f"{name}__rosidl_{generator}" for name in dependencies]
    stems += ["rosidl_runtime_c", "rcutils", "rosidl_typesupport_c"]
    if generator == "typesupport_fastrtps_c":
        stems += ["rosidl_typesupport_fastrtps_c", "rosidl_typesupport_fastrtps_cpp", "fastcdr", "rmw"]
    if generator == "typesupport_introspection_c":
        stems += ["rosidl_typesupport_introspection_c"]
    missing = [stem for stem in stems if not (lib / f"lib{stem}.so").exists()]
    if missing:
        raise SystemExit(f"{lib}: the ROS wheels lack lib{'.so, lib'.join(missing)}.so")
    return [f"-l{stem}" for stem in stems]


def _clean_environment() -> dict[str, str]:
    """Without LD_LIBRARY_PATH: the ROS wheels' libraries are not meant for the compiler."""
    return {key: value for key, value in os.environ.items() if key != "LD_LIBRARY_PATH"}


def _run(command: list[str], environment: dict[str, str]) -> None:
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\nfailed with {result.returncode}:\n{result.stderr}")
