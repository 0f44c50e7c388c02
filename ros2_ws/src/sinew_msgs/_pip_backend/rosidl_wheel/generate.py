"""Generate the C, C++ and Python sources of the interfaces with rosidl's own generators."""

import contextlib
import importlib
import io
import multiprocessing
import os
import shutil
import signal
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rosidl_wheel.progress import Progress
from rosidl_wheel.project import Project
from rosidl_wheel.toolchain import Toolchain

# rosidl adds these to every service and action, whether or not package.xml names them.
IMPLICIT_DEPENDENCIES = ("action_msgs", "builtin_interfaces", "service_msgs", "unique_identifier_msgs")

# The generator classes are named here because the ROS wheels register each entry point twice,
# which rosidl's own look-up refuses. Slowest first, for the shortest whole.
GENERATORS = {
    "generator_py": ("rosidl_generator_py.cli", "GeneratePython"),
    "generator_c": ("rosidl_generator_c.cli", "GenerateC"),
    "typesupport_fastrtps_c": ("rosidl_typesupport_fastrtps_c.cli", "GenerateFastRTPSCTypesupport"),
    "typesupport_introspection_c": (
        "rosidl_typesupport_introspection_c.cli",
        "GenerateIntrospectionCTypesupport",
    ),
    "typesupport_c": ("rosidl_typesupport_c.cli", "GenerateCTypesupport"),
}


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the generated files lie."""

    roots: dict[str, Path]  # generator name -> its include root; files lie in root/<package>
    share: Path  # definitions (.msg .srv .action), .idl and type descriptions (.json)
    dependencies: tuple[str, ...]  # of the interfaces, the implicit ones included


@dataclass(frozen=True, slots=True)
class _Task:
    """One generator's run, as a value that a worker process can receive."""

    generator: str
    package: str
    idl: list[str]
    descriptions: list[Path]
    include: list[str]
    output: Path


def generate_sources(project: Project, toolchain: Toolchain, output: Path) -> Sources:
    """Write all sources under `output`, with one process per core."""
    os.environ["AMENT_PREFIX_PATH"] = str(toolchain.prefix)
    dependencies = tuple(sorted({*project.dependencies, *IMPLICIT_DEPENDENCIES}))
    include = [str(toolchain.prefix / "share" / name) for name in dependencies]
    progress = Progress(project.name, len(GENERATORS) + 1)

    share = output / "share"
    idl, descriptions = _describe(project, include, share)
    progress.advance("described interfaces")

    roots = {name: output / name for name in GENERATORS}
    tasks = [
        _Task(name, project.name, idl, descriptions, include, root / project.name)
        for name, root in roots.items()
    ]
    context = multiprocessing.get_context("fork")  # spawn would re-execute pip's build script
    # Workers end at once on Ctrl-C; only this process reports it.
    ends = (signal.SIGINT, signal.SIG_DFL)
    with ProcessPoolExecutor(os.cpu_count(), context, signal.signal, ends) as pool:
        for task, _ in zip(tasks, pool.map(_run_generator, tasks), strict=True):
            progress.advance(f"generated {task.generator}")
    return Sources(roots, share, dependencies)


def _describe(project: Project, include: list[str], share: Path) -> tuple[list[str], list[Path]]:
    """Copy the definitions, translate them to IDL and compute their type descriptions."""
    from rosidl_adapter import cli as adapter  # needs AMENT_PREFIX_PATH when imported
    from rosidl_generator_type_description.cli import (  # type: ignore[import-untyped]  # has no types
        HashTypeDescription,
    )

    translators = {
        ".msg": adapter.TranslateMsgToIDL,
        ".srv": adapter.TranslateSrvToIDL,
        ".action": adapter.TranslateActionToIDL,
    }
    idl: list[str] = []
    with contextlib.redirect_stdout(io.StringIO()):
        for interface in project.interfaces:
            copy = share / interface
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(project.root / interface, copy)
            translator = translators[copy.suffix]("idl")
            idl += translator.translate(project.name, [f"{share}:{interface}"], include, share)
        descriptions = HashTypeDescription("hash").generate_type_hashes(project.name, idl, include, share)
    return idl, descriptions


def _run_generator(task: _Task) -> None:
    module, class_name = GENERATORS[task.generator]
    generator = getattr(importlib.import_module(module), class_name)(task.generator)
    extra = {}
    if task.generator == "generator_c":
        extra["type_description_files"] = task.descriptions
    task.output.mkdir(parents=True)
    with contextlib.redirect_stdout(io.StringIO()):
        generator.generate(task.package, task.idl, task.include, task.output, **extra)
