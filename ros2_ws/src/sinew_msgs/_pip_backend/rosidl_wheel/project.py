"""What is built: the package's metadata and the interface definitions it holds."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

INTERFACE_KINDS = ("msg", "srv", "action")


@dataclass(frozen=True, slots=True)
class Project:
    """One interface package."""

    root: Path
    name: str
    version: str
    description: str
    license: str
    dependencies: tuple[str, ...]  # ROS packages whose interfaces are used
    python_requires: str
    python_dependencies: tuple[str, ...]
    interfaces: tuple[str, ...]  # relative to root, e.g. "msg/Keypoint.msg"


def read_project(root: Path) -> Project:
    """Read package.xml, pyproject.toml and the interface folders of `root`."""
    package = ElementTree.parse(root / "package.xml").getroot()
    python = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    interfaces = tuple(
        path.relative_to(root).as_posix()
        for kind in INTERFACE_KINDS
        for path in sorted((root / kind).glob(f"*.{kind}"))
    )
    if not interfaces:
        raise FileNotFoundError(f"{root}: no interface definitions in {', '.join(INTERFACE_KINDS)}")
    return Project(
        root=root,
        name=_text(package, "name"),
        version=_text(package, "version"),
        description=_text(package, "description"),
        license=_text(package, "license"),
        dependencies=tuple(element.text or "" for element in package.findall("depend")),
        python_requires=python["requires-python"],
        python_dependencies=tuple(python["dependencies"]),
        interfaces=interfaces,
    )


def _text(package: ElementTree.Element, tag: str) -> str:
    text = package.findtext(tag)
    if not text:
        raise ValueError(f"package.xml: <{tag}> is missing or empty")
    return text.strip()
