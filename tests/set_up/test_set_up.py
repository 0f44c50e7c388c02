"""The set-up redoes what changed, nothing else, and heals what an interruption left."""

import importlib
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts/set_up"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Import one of the set-up's modules, which are found only while it runs."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the set-up looks at."""
    for name in ("pyproject.toml", "constraints.txt", "ros2_ws/src/sinew_msgs/msg"):
        copy = tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy)
        else:
            shutil.copyfile(ROOT / name, copy)
    return tmp_path


@pytest.mark.parametrize(
    ("edited", "redone"),
    [
        ("ros2_ws/src/sinew_msgs/msg/Feature.msg", ["messages"]),
        ("ros2_ws/src/sinew_msgs/msg/__pycache__/left.pyc", []),
        ("constraints.txt", ["build_tools", "libraries", "messages", "nodes"]),
    ],
)
def test_only_what_depends_on_an_edited_file_is_redone(
    edited: str, redone: list[str], checkout: Path, module: Callable[[str], Any]
) -> None:
    wanted_parts = module("wanted").wanted_parts
    before = {part.name: part.key for part in wanted_parts(checkout)}
    path = checkout / edited
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write("\n# edited\n")
    assert [part.name for part in wanted_parts(checkout) if part.key != before[part.name]] == redone


def test_linter_settings_do_not_cause_a_reinstallation(checkout: Path, module: Callable[[str], Any]) -> None:
    wanted_parts = module("wanted").wanted_parts
    before = wanted_parts(checkout)
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("\n[tool.added-linter]\nstrict = true\n")
    assert wanted_parts(checkout) == before


def test_begun_part_counts_as_interrupted_until_it_is_finished(
    tmp_path: Path, module: Callable[[str], Any]
) -> None:
    stamps = module("stamps").Stamps(tmp_path / "stamps.json")
    stamps.finish("messages", "old")
    stamps.begin("messages")
    assert stamps.interrupted()
    assert not stamps.holds("messages", "old")
    stamps.finish("messages", "new")
    assert not stamps.interrupted()
    assert stamps.holds("messages", "new")


@pytest.mark.parametrize("damage", ["removed", "cut short", "no record"])
def test_half_installed_package_is_forgotten_and_a_whole_one_kept(
    damage: str, tmp_path: Path, module: Callable[[str], Any]
) -> None:
    site_packages = tmp_path / "lib/python3.11/site-packages"
    for name in ("whole", "half"):
        dist_info = site_packages / f"{name}-1.0.dist-info"
        dist_info.mkdir(parents=True)
        (site_packages / f"{name}.py").write_text("x = 1\n")
        (dist_info / "INSTALLER").write_text("pip\n")
        (dist_info / "RECORD").write_text(f"{name}.py,sha256=abc,6\n{dist_info.name}/RECORD,,\n")
    if damage == "removed":
        (site_packages / "half.py").unlink()
    elif damage == "cut short":
        (site_packages / "half.py").write_text("x\n")
    else:
        (site_packages / "half-1.0.dist-info/RECORD").unlink()
    module("environment").mend_interrupted_installs(tmp_path)
    assert [path.name for path in site_packages.glob("*.dist-info")] == ["whole-1.0.dist-info"]


def test_without_root_one_line_names_the_packages(
    monkeypatch: pytest.MonkeyPatch, module: Callable[[str], Any]
) -> None:
    system_packages = module("system_packages")
    monkeypatch.setattr(system_packages, "_loads", lambda library: library != "libEGL.so.1")
    monkeypatch.setattr(system_packages, "_root_prefix", lambda: None)
    with pytest.raises(module("steps").StepError) as error:
        system_packages.require_system_packages(compiler=False)
    assert str(error.value).endswith("sudo apt-get install -y --no-install-recommends libegl1")
    assert "\n" not in str(error.value)


def test_missing_python_is_named_with_the_way_to_choose_one() -> None:
    result = subprocess.run(
        ["make", "--no-print-directory", "setup", "PYTHON=/nowhere/python3.11"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert "Python 3.11" in result.stderr
    assert "PYTHON=/path/to/python3.11 setup" in result.stderr


def test_every_requirement_has_a_pinned_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = sum(project["optional-dependencies"].values(), project["dependencies"])
    named = {re.match(r"[\w-]+", line)[0].lower().replace("_", "-") for line in requirements}
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line]
    assert named - {line.split("==")[0] for line in pins} == {"sinew"}
