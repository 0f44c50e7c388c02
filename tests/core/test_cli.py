import subprocess
import sys

import pytest
from sinew_core import cli


def test_an_unknown_command_is_answered_with_the_nearest(capsys):
    assert cli.main(["rnu"]) == 2
    assert "Did you mean 'run'?" in capsys.readouterr().err


def test_the_version_is_printed(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("sinew ")


@pytest.mark.parametrize(
    "package", ["sinew_core", "sinew_rewards", "sinew_perception", "sinew_policies", "sinew_sim"]
)
def test_a_package_imports_without_torch_and_ros(package):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'rclpy', 'sinew_msgs']));"
        f"import pkgutil, importlib, {package} as p;"
        f"[importlib.import_module('{package}.' + m.name) for m in pkgutil.iter_modules(p.__path__)]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_core_imports_numpy_yaml_and_rich_only():
    code = (
        "import sys, pkgutil, importlib, sinew_core as p;"
        "[importlib.import_module('sinew_core.' + m.name) for m in pkgutil.iter_modules(p.__path__)];"
        "heavy = {'mujoco','pybullet','cv2','scipy','rclpy','torch','mink','sinew_sim'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
