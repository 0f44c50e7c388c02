"""The launch subset: what it runs, and that everything else is a clear error."""

from __future__ import annotations

from pathlib import Path

import pytest
from sinew_core.errors import ConfigError
from sinew_nodes.launch_command import find_launch_file, main, parse_arguments
from sinew_nodes.launch_file import read_arguments, resolve


@pytest.fixture
def launch(tmp_path: Path):
    def write(*entries: str) -> Path:
        path = tmp_path / "x.launch.yaml"
        path.write_text("launch:\n" + "\n".join(f"- {entry}" for entry in entries) + "\n")
        return path

    return write


def test_substitutions_reach_the_command(launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLOUR", "red")
    path = launch(
        "arg: {name: what, default: cube}",
        'let: {name: both, value: "$(env COLOUR) $(var what)"}',
        'set_env: {name: SHADE, value: "$(env SHADE dark)"}',
        "node: {pkg: p, exec: e, name: n, namespace: arm, args: -v, on_exit: shutdown,"
        ' param: [{name: a, value: "$(var both)"}, {name: b, value: "5"}, {name: c, value: [x, y]}],'
        " remap: [{from: f, to: t}]}",
    )
    (node,) = resolve(path, {"what": "bowl"})
    assert node.arguments[:1] == ("-v",)
    words = " ".join(node.arguments)
    assert "__node:=n -r __ns:=/arm -r f:=t" in words
    assert "-p a:='red bowl' -p b:=5 -p c:=['x', 'y']" in words
    assert (node.environment, node.ends_all) == ({"SHADE": "dark"}, True)


@pytest.mark.parametrize(("key", "value", "starts"), [("if", "false", 0), ("unless", "0", 1), ("if", "1", 1)])
def test_conditions_decide(launch, key: str, value: str, starts: int) -> None:
    assert len(resolve(launch(f'node: {{pkg: p, exec: e, {key}: "{value}"}}'), {})) == starts


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("group: [{node: {pkg: p, exec: e}}]", "x.launch.yaml:2: action 'group' is outside the subset"),
        ("node: {pkg: p, exec: e, respawn: true}", ":2: node: unknown key 'respawn'"),
        ("node: {pkg: p, exec: e, on_exit: dance}", "on_exit: got 'dance'"),
        ("node: {pkg: p}", ":2: node: missing key exec"),
        ("node: {pkg: p, exec: e, param: [{from: f}]}", "param: expected a list of {name: ..., value: ...}"),
        ('let: {name: a, value: "$(find-pkg-share p)"}', r"\$\(find-pkg-share p\): supported are"),
        ('let: {name: a, value: "$(var b)"}', r"\$\(var b\): no such argument"),
        ('node: {pkg: p, exec: e, if: "maybe"}', "if: expected true or false, got 'maybe'"),
    ],
)
def test_outside_the_subset_is_an_error_with_file_and_line(launch, entry: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(launch(entry), {})


def test_unknown_argument_gets_a_hint(launch) -> None:
    with pytest.raises(ConfigError, match="unknown argument 'hardwear'. Did you mean 'hardware'"):
        resolve(launch("arg: {name: hardware}"), {"hardwear": "x"})


def test_missing_required_argument_is_named(launch) -> None:
    with pytest.raises(ConfigError, match="argument 'hardware' is required"):
        resolve(launch("arg: {name: hardware}"), {})


def test_argument_without_assignment_is_an_error() -> None:
    with pytest.raises(ConfigError, match="expected argument:=value, got 'hardware=x'"):
        parse_arguments(["hardware=x"])


def test_a_launch_file_is_found_by_name_and_its_neighbour_is_named() -> None:
    assert find_launch_file("bringup").name == "bringup.launch.yaml"
    with pytest.raises(ConfigError, match="Did you mean 'bringup'"):
        find_launch_file("bringpu")


def test_without_a_file_only_the_file_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert capsys.readouterr().err.rstrip().endswith("arguments are required: file")


def test_bringup_lies_within_the_subset() -> None:
    path = find_launch_file("bringup")
    assert {argument.name for argument in read_arguments(path)} >= {"hardware", "task", "policy", "reward"}
    names = [node.name for node in resolve(path, {"hardware": "x"})]
    assert names[0] == "lifecycle_manager"
    assert "station_node" in names
