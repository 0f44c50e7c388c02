"""A subset of the YAML launch front-end, for machines without ROS 2's own `launch`.

    launch:
    - arg: {name: NAME, default: VALUE, description: TEXT}
    - let: {name: NAME, value: VALUE}
    - set_env: {name: NAME, value: VALUE}
    - node: {pkg: PACKAGE, exec: EXECUTABLE, name: NAME, namespace: NAME, args: TEXT, output: screen,
             on_exit: shutdown, if: VALUE, unless: VALUE, param: [{name: NAME, value: VALUE}],
             remap: [{from: NAME, to: NAME}]}

Values may hold $(var NAME), $(env NAME) and $(env NAME DEFAULT). Anything else is a ConfigError that
names file and line. The same file runs under `ros2 launch`.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from sinew_core.errors import ConfigError, did_you_mean

KEYS: dict[str, tuple[str, ...]] = {
    "arg": ("name", "default", "description"),
    "let": ("name", "value"),
    "set_env": ("name", "value"),
    "node": (
        *("pkg", "exec", "name", "namespace", "args", "output", "on_exit"),
        *("if", "unless", "param", "remap"),
    ),
}
REQUIRED = {
    "arg": ("name",),
    "let": ("name", "value"),
    "set_env": ("name", "value"),
    "node": ("pkg", "exec"),
}
CHOICES = {"output": ("screen", "log", "both"), "on_exit": ("shutdown",)}
SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")
TRUTH = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Argument:
    """A declared launch argument."""

    name: str
    default: str | None
    description: str


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """A process to start, with everything substituted."""

    package: str
    executable: str
    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ends_all: bool = False  # its end is the end of all


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    values: Mapping[str, Any]
    where: str  # file and line


def read_arguments(path: Path) -> list[Argument]:
    """Return the arguments that a launch file declares, in its order."""
    return [
        Argument(
            str(entry.values["name"]),
            _text(entry.values.get("default")),
            str(entry.values.get("description", "")),
        )
        for entry in _entries(path)
        if entry.kind == "arg"
    ]


def resolve(path: Path, given: Mapping[str, str]) -> list[NodeSpec]:
    """Return the processes that a launch file starts with these arguments; raises ConfigError."""
    entries = list(_entries(path))
    declared = [argument.name for argument in read_arguments(path)]
    for name in given:
        if name not in declared:
            raise ConfigError(f"{path}: unknown argument '{name}'.{did_you_mean(name, declared)}")
    variables: dict[str, str] = {}
    environment: dict[str, str] = {}
    nodes: list[NodeSpec] = []
    for entry in entries:
        scope = _Scope(variables, environment, entry.where)
        name = str(entry.values.get("name", ""))
        if entry.kind == "arg":
            variables[name] = _argument(entry, given, scope)
        elif entry.kind == "let":
            variables[name] = scope.fill(entry.values["value"])
        elif entry.kind == "set_env":
            environment[name] = scope.fill(entry.values["value"])
        elif _is_wanted(entry, scope):
            nodes.append(_node(entry, scope))
    return nodes


def _argument(entry: _Entry, given: Mapping[str, str], scope: _Scope) -> str:
    name = str(entry.values["name"])
    if name in given:
        return given[name]
    if "default" not in entry.values:
        told = entry.values.get("description", "")
        raise ConfigError(
            f"{entry.where}: argument '{name}' is required: give {name}:=VALUE. {told}".rstrip()
        )
    return scope.fill(entry.values["default"])


@dataclass(frozen=True, slots=True)
class _Scope:
    variables: Mapping[str, str]
    environment: Mapping[str, str]
    where: str

    def fill(self, value: Any) -> str:
        """Return a value with its substitutions made, the innermost first."""
        text = _text(value) or ""
        while SUBSTITUTION.search(text):
            text = SUBSTITUTION.sub(lambda match: self._substitute(match[1]), text)
        return text

    def _substitute(self, inside: str) -> str:
        kind, *words = shlex.split(inside) or [""]
        if kind == "var" and len(words) == 1:
            if words[0] not in self.variables:
                raise ConfigError(
                    f"{self.where}: $(var {words[0]}): no such argument so far."
                    f"{did_you_mean(words[0], self.variables)}"
                )
            return self.variables[words[0]]
        if kind == "env" and len(words) in (1, 2):
            found = self.environment.get(words[0], os.environ.get(words[0], *words[1:]))
            if found is None:
                raise ConfigError(f"{self.where}: $(env {words[0]}): not set, and no default given.")
            return found
        raise ConfigError(
            f"{self.where}: $({inside}): supported are $(var NAME), $(env NAME) and $(env NAME DEFAULT); "
            "for more, use ROS 2's own `ros2 launch`."
        )


def _is_wanted(entry: _Entry, scope: _Scope) -> bool:
    for key, expected in (("if", True), ("unless", False)):
        if key in entry.values:
            text = scope.fill(entry.values[key]).lower()
            if text not in TRUTH:
                raise ConfigError(f"{entry.where}: {key}: expected true or false, got '{text}'.")
            if TRUTH[text] is not expected:
                return False
    return True


def _node(entry: _Entry, scope: _Scope) -> NodeSpec:
    values = entry.values
    for key, choices in CHOICES.items():
        if key in values and scope.fill(values[key]) not in choices:
            given = scope.fill(values[key])
            raise ConfigError(f"{entry.where}: {key}: got '{given}'.{did_you_mean(given, choices)}")
    executable = scope.fill(values["exec"])
    name = scope.fill(values.get("name", executable))
    ros = ["--ros-args", "-r", f"__node:={name}"]
    if "namespace" in values:
        ros += ["-r", f"__ns:=/{scope.fill(values['namespace']).strip('/')}"]
    for item in _items(entry, "remap", ("from", "to")):
        ros += ["-r", f"{scope.fill(item['from'])}:={scope.fill(item['to'])}"]
    for item in _items(entry, "param", ("name", "value")):
        ros += ["-p", f"{scope.fill(item['name'])}:={_parameter(scope, item['value'])}"]
    return NodeSpec(
        package=scope.fill(values["pkg"]),
        executable=executable,
        name=name,
        arguments=(*shlex.split(scope.fill(values.get("args", ""))), *ros),
        environment=dict(scope.environment),
        ends_all="on_exit" in values,
    )


def _parameter(scope: _Scope, value: Any) -> str:
    """Return a parameter's value as the YAML that rcl reads, quoted where it would not stay a string."""
    if isinstance(value, list):
        return f"[{', '.join(_parameter(scope, item) for item in value)}]"
    text = scope.fill(value)
    if isinstance(yaml.safe_load(text), (bool, int, float)):
        return text
    return "'" + text.replace("'", "''") + "'"


def _items(entry: _Entry, key: str, keys: tuple[str, ...]) -> list[Mapping[str, Any]]:
    items = entry.values.get(key, [])
    if not isinstance(items, list) or not all(
        isinstance(item, dict) and set(item) == set(keys) for item in items
    ):
        raise ConfigError(
            f"{entry.where}: {key}: expected a list of {{{', '.join(k + ': ...' for k in keys)}}}."
        )
    return items


def _entries(path: Path) -> Iterator[_Entry]:
    for line, kind, values in _top_level(path):
        where = f"{path}:{line}"
        if kind not in KEYS:
            raise ConfigError(
                f"{where}: action '{kind}' is outside the subset that runs without ROS 2's own launch."
                f"{did_you_mean(kind, KEYS)}"
            )
        if not isinstance(values, dict):
            raise ConfigError(f"{where}: {kind}: expected a mapping, got {values!r}.")
        for key in values:
            if key not in KEYS[kind]:
                raise ConfigError(
                    f"{where}: {kind}: unknown key '{key}'.{did_you_mean(str(key), KEYS[kind])}"
                )
        missing = [key for key in REQUIRED[kind] if key not in values]
        if missing:
            raise ConfigError(f"{where}: {kind}: missing key {', '.join(missing)}.")
        yield _Entry(kind, values, where)


def _top_level(path: Path) -> Iterator[tuple[int, str, Any]]:
    """Yield line, action and value of each entry under `launch:`."""
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    content = dict(loader.construct_mapping(root, deep=True)) if isinstance(root, yaml.MappingNode) else {}
    if list(content) != ["launch"] or not isinstance(content["launch"], list):
        raise ConfigError(f"{path}: expected a mapping with the one key 'launch', a list.")
    assert root is not None
    for node in root.value[0][1].value:
        line = node.start_mark.line + 1
        entry = loader.construct_object(node, deep=True)
        if not isinstance(entry, dict) or len(entry) != 1:
            raise ConfigError(f"{path}:{line}: expected one action a list item, got {entry!r}.")
        yield line, *next(iter(entry.items()))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
