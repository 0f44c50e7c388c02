"""Choosing implementations by name: `plugin: "module:Class"` plus the fields of the class's `Config`.

A constructor names what it needs. A parameter called `config` is filled strictly from the mapping,
after its annotation; every other parameter is taken from the context by its name (`robot`, `cameras`,
`hardware`, ...). There is no registry: a short name is a module of the kind's home package.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from sinew_core.config import from_mapping, load_yaml
from sinew_core.errors import ConfigError, did_you_mean

T = TypeVar("T")


def plugin_spec(name: str, package: str, kind: str, also: Iterable[str] = ()) -> dict[str, Any]:
    """Turn what a user typed into a plugin mapping: a short name, `module:Class`, or a YAML file.

    The short name `goal_distance` in package `sinew_rewards` means the class `GoalDistance` of the
    module `sinew_rewards.goal_distance`. `also` are further names for the error sentence to offer.
    """
    if name.endswith((".yaml", ".yml")):
        return load_yaml(Path(name))
    if ":" in name:
        return {"plugin": name}
    available = short_names(package)
    if name not in available:
        raise ConfigError(f"unknown {kind} '{name}'.{did_you_mean(name, [*available, *also])}")
    return {"plugin": f"{package}.{name}:{camel_case(name)}"}


def short_names(package: str) -> list[str]:
    """Return the modules of `package` that hold a class named after them, without importing them."""
    found = importlib.util.find_spec(package)
    if found is None or found.submodule_search_locations is None:
        return []
    folders = [Path(place) for place in found.submodule_search_locations]
    modules = {path.stem: path for folder in folders for path in sorted(folder.glob("*.py"))}
    return [name for name, path in modules.items() if _holds_namesake(path)]


def _holds_namesake(path: Path) -> bool:
    pattern = rf"^class {re.escape(camel_case(path.stem))}\b"
    return re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE) is not None


def camel_case(name: str) -> str:
    """Return the class name that belongs to a module name."""
    return "".join(part.capitalize() for part in name.split("_"))


def build(spec: Mapping[str, Any], protocol: type[T], where: str, **context: Any) -> T:
    """Construct the plugin that `spec` names and check it against `protocol`.

    Raises ConfigError for an unknown module or class, a wrong or missing field, a context value that
    the constructor wants and this place does not have, or a class that lacks methods of the protocol.
    """
    if "plugin" not in spec:
        raise ConfigError(f"{where}: missing key 'plugin' (\"module:Class\").")
    cls = _load_class(str(spec["plugin"]), where)
    lacking = [name for name in _members(protocol) if not hasattr(cls, name)]
    if lacking:
        raise ConfigError(
            f"{where}: {spec['plugin']} is no {protocol.__name__}: it lacks {', '.join(lacking)}."
        )
    fields = {key: value for key, value in spec.items() if key != "plugin"}
    built = cls(**_arguments(cls, fields, where, context))
    assert isinstance(built, protocol)
    return built


def plugin_config(spec: Mapping[str, Any], where: str) -> Any:
    """Return the configuration that `build` would give the plugin of `spec`, None if it takes none.

    Raises ConfigError as `build` does.
    """
    cls = _load_class(str(spec.get("plugin", "")), where)
    if "config" not in inspect.signature(cls).parameters:
        return None
    return _config(cls, {key: value for key, value in spec.items() if key != "plugin"}, where)


def _config(cls: type, fields: Mapping[str, Any], where: str) -> Any:
    owner = next(base for base in cls.__mro__ if "__init__" in vars(base))  # it may be inherited
    return from_mapping(get_type_hints(vars(owner)["__init__"])["config"], fields, where)


def _arguments(
    cls: type, fields: Mapping[str, Any], where: str, context: Mapping[str, Any]
) -> dict[str, Any]:
    parameters = inspect.signature(cls).parameters
    if fields and "config" not in parameters:
        raise ConfigError(f"{where}: {cls.__name__} takes no configuration; remove {', '.join(fields)}.")
    arguments: dict[str, Any] = {}
    for name, parameter in parameters.items():
        if name == "config":
            arguments[name] = _config(cls, fields, where)
        elif name in context:
            arguments[name] = context[name]
        elif parameter.default is inspect.Parameter.empty:
            raise ConfigError(
                f"{where}: {cls.__name__} wants '{name}', which is not to be had here."
                f"{did_you_mean(name, context)}"
            )
    return arguments


def _load_class(plugin: str, where: str) -> type:
    module_name, _, class_name = plugin.partition(":")
    if not module_name or not class_name:
        raise ConfigError(f'{where}: plugin: expected "module:Class", got {plugin!r}.')
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        package, _, leaf = module_name.rpartition(".")
        absent = error.name or module_name
        if not module_name.startswith(absent):
            raise ConfigError(
                f"{where}: {plugin} needs the Python module '{absent}', which is not installed "
                "(see `sinew doctor`)."
            ) from error
        siblings = _sibling_modules(package)
        raise ConfigError(
            f"{where}: there is no module '{module_name}'.{did_you_mean(leaf, siblings)}"
        ) from error
    cls = getattr(module, class_name, None)
    if not isinstance(cls, type):
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        raise ConfigError(
            f"{where}: {module_name} has no class '{class_name}'.{did_you_mean(class_name, classes)}"
        )
    return cls


def _sibling_modules(package: str) -> list[str]:
    try:
        found = importlib.util.find_spec(package) if package else None
    except ModuleNotFoundError:
        return []
    locations = found.submodule_search_locations if found is not None else None
    return [info.name for info in pkgutil.iter_modules(locations)] if locations is not None else []


def _members(protocol: type) -> list[str]:
    return [name for name in vars(protocol) if not name.startswith("_") and name != "register"]
