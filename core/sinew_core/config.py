"""Strict configuration: YAML into frozen dataclasses, where every unknown key is an error with a hint."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import yaml

from sinew_core.errors import ConfigError, did_you_mean

T = TypeVar("T")


class _StrictLoader(yaml.SafeLoader):
    """A safe loader that refuses a key given twice, which YAML would silently let win."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            line = key_node.start_mark.line + 1
            raise ConfigError(f"{loader.name}:{line}: key '{key}' is given twice.")
        seen[key] = loader.construct_object(value_node, deep=True)
    return seen


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML mapping from a file; a missing, broken or non-mapping file is a ConfigError."""
    try:
        with path.open(encoding="utf-8") as stream:
            data = yaml.load(stream, Loader=_StrictLoader)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise ConfigError(f"{path}: expected a mapping of names to values, got {type(data).__name__}.")
    return data


def from_mapping(cls: type[T], data: Mapping[str, Any], where: str) -> T:
    """Fill the dataclass `cls` from `data`; `where` (file and key) goes into every error sentence."""
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            raise ConfigError(f"{where}: unknown key '{key}'.{did_you_mean(str(key), fields)}")
    missing = [
        name
        for name, f in fields.items()
        if name not in data and f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise ConfigError(f"{where}: missing key{'s' if len(missing) > 1 else ''} {', '.join(missing)}.")
    hints = _hints_of(cls)  # type: ignore[arg-type]
    values = {key: _convert(hints[key], value, f"{where}: {key}") for key, value in data.items()}
    try:
        return cls(**values)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error


@functools.cache
def _hints_of(cls: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields; to resolve them takes longer than to fill one."""
    return get_type_hints(cls)


def to_mapping(config: object) -> dict[str, Any]:
    """Return a dataclass as plain data that `from_mapping` reads back."""
    return {f.name: _plain(getattr(config, f.name)) for f in dataclasses.fields(config)}  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return to_mapping(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value) if isinstance(value, Path) else value


def _convert(hint: Any, value: Any, where: str) -> Any:  # noqa: PLR0911 - one return a kind of type
    origin = get_origin(hint)
    if hint is Any:
        return value
    if origin in (Union, types.UnionType):
        return _convert_union(get_args(hint), value, where)
    if origin is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{where}: got {value!r}.{did_you_mean(str(value), map(str, get_args(hint)))}")
        return value
    if dataclasses.is_dataclass(hint):
        return from_mapping(hint, _expect(Mapping, value, where), where)  # type: ignore[arg-type]
    if hint is dict or origin in (dict, Mapping):
        item = get_args(hint)[1] if get_args(hint) else Any
        pairs = _expect(Mapping, value, where)
        return {key: _convert(item, entry, f"{where}.{key}") for key, entry in pairs.items()}
    if origin in (tuple, list, Sequence):
        return _convert_sequence(origin, get_args(hint), value, where)
    return _convert_scalar(hint, value, where)


def _convert_union(options: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in options:
        return None
    errors = []
    for option in options:
        if option is type(None):
            continue
        try:
            return _convert(option, value, where)
        except ConfigError as error:
            errors.append(str(error))
    raise ConfigError(errors[0] if len(errors) == 1 else f"{where}: got {value!r}; " + " / ".join(errors))


def _convert_sequence(origin: Any, args: tuple[Any, ...], value: Any, where: str) -> Any:
    items = _expect((list, tuple), value, where)
    if origin is tuple and args and args[-1] is not Ellipsis:
        if len(items) != len(args):
            raise ConfigError(f"{where}: expected {len(args)} values, got {len(items)}.")
        return tuple(_convert(arg, item, f"{where}[{i}]") for i, (arg, item) in enumerate(zip(args, items)))  # noqa: B905 - lengths were compared above
    item_type = args[0] if args else Any
    converted = [_convert(item_type, item, f"{where}[{i}]") for i, item in enumerate(items)]
    return converted if origin is list else tuple(converted)


def _convert_scalar(hint: Any, value: Any, where: str) -> Any:
    if hint is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ConfigError(f"{where}: expected a finite number, got {value!r}.")
        return float(value)
    if hint is int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ConfigError(f"{where}: expected a whole number, got {value!r}.")
        return value
    if hint is Path:
        return Path(_expect((str, Path), value, where))
    return _expect(hint, value, where)


def _expect(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        wanted = " or ".join(k.__name__ for k in kinds)
        raise ConfigError(f"{where}: expected {wanted}, got {value!r}.")
    return value
