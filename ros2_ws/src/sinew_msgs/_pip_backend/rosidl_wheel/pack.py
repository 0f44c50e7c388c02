"""Write the wheel: libraries, Python package, definitions and the ament index markers."""

import base64
import hashlib
import sys
import sysconfig
import zipfile
from pathlib import Path

from rosidl_wheel.compile import Libraries
from rosidl_wheel.generate import Sources
from rosidl_wheel.project import Project


def write_metadata(project: Project, folder: Path) -> str:
    """Write the wheel's dist-info folder, without its record, into `folder`; return its name."""
    name = f"{project.name}-{project.version}.dist-info"
    (folder / name).mkdir()
    for file_name, data in _dist_info(project).items():
        (folder / name / file_name).write_bytes(data)
    return name


def write_wheel(project: Project, sources: Sources, libraries: Libraries, folder: Path) -> str:
    """Write `<name>-<version>-<tag>.whl` into `folder` and return its file name."""
    stem = f"{project.name}-{project.version}"
    contents: dict[str, bytes] = {}
    for name, data in _prefix_files(project, sources, libraries).items():
        contents[f"{stem}.data/data/{name}"] = data
    for name, data in _package_files(project, sources, libraries).items():
        contents[f"{project.name}/{name}"] = data
    for name, data in _dist_info(project).items():
        contents[f"{stem}.dist-info/{name}"] = data
    record = f"{stem}.dist-info/RECORD"
    rows = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in contents.items()]
    contents[record] = "\n".join([*rows, f"{record},,", ""]).encode()

    file_name = f"{stem}-{_tag()}.whl"
    # Stored, not deflated: it is unpacked a moment later on the same machine.
    with zipfile.ZipFile(folder / file_name, "w", zipfile.ZIP_STORED) as wheel:
        for name, data in contents.items():
            wheel.writestr(name, data)
    return file_name


def _prefix_files(project: Project, sources: Sources, libraries: Libraries) -> dict[str, bytes]:
    """Files that go to the environment's prefix, by path in it."""
    share = f"share/{project.name}"
    files = {f"lib/{path.name}": path.read_bytes() for path in libraries.shared}
    files[f"{share}/package.xml"] = (project.root / "package.xml").read_bytes()
    definitions = sorted(path for path in sources.share.rglob("*") if path.is_file())
    for path in definitions:
        files[f"{share}/{path.relative_to(sources.share)}"] = path.read_bytes()
    index = "share/ament_index/resource_index"
    listed = [path.relative_to(sources.share).as_posix() for path in definitions if path.suffix != ".json"]
    files[f"{index}/packages/{project.name}"] = b""
    files[f"{index}/rosidl_interfaces/{project.name}"] = "\n".join(listed).encode()
    files[f"{index}/package_run_dependencies/{project.name}"] = ";".join(sources.dependencies).encode()
    return files


def _package_files(project: Project, sources: Sources, libraries: Libraries) -> dict[str, bytes]:
    """Files of the Python package, by path in it."""
    root = sources.roots["generator_py"] / project.name
    files = {p.relative_to(root).as_posix(): p.read_bytes() for p in sorted(root.rglob("*.py"))}
    files.setdefault("__init__.py", b"")
    for path in libraries.extensions:
        files[path.name] = path.read_bytes()
    return files


def _dist_info(project: Project) -> dict[str, bytes]:
    metadata = [
        "Metadata-Version: 2.4",
        f"Name: {project.name}",
        f"Version: {project.version}",
        f"Summary: {project.description}",
        f"License-Expression: {project.license}",
        f"Requires-Python: {project.python_requires}",
        *(f"Requires-Dist: {dependency}" for dependency in project.python_dependencies),
    ]
    wheel = [
        "Wheel-Version: 1.0",
        "Generator: rosidl_wheel",
        "Root-Is-Purelib: false",
        f"Tag: {_tag()}",
    ]
    files = {"METADATA": metadata, "WHEEL": wheel}
    return {name: ("\n".join(lines) + "\n").encode() for name, lines in files.items()}


def _tag() -> str:
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"{python}-{python}-{platform}"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
