"""ROS parameter files (YAML), read for one node by rcl's rules, so that they can be checked before anything starts."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from fitmotion_nodes.parameters import ParameterError


def overrides_for(full_name: str, files: Sequence[Path]) -> dict[str, Any]:
    """The parameters that these files give the node of this fully qualified name ("/rig_1/camera").

    A later file wins over an earlier one, and a section that names the node wins over one that matches it with
    wildcards (`/*`: one part of a name, `/**`: any number of parts). Nested parameters become dotted names.
    Raises ParameterError for a file that is missing or not of the form.
    """
    matched: dict[str, Any] = {}
    named: dict[str, Any] = {}
    for path in files:
        for pattern, parameters in _sections(path):
            if "*" not in pattern:
                named.update(parameters if pattern == full_name else {})
            elif _matches(full_name, pattern):
                matched.update(parameters)
    return {**matched, **named}


def node_names(path: Path) -> list[str]:
    """The names and patterns of nodes that a file has sections for."""
    return [pattern for pattern, _ in _sections(path)]


def _sections(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(node name or pattern, parameters) of a file, in its order."""
    try:
        content = yaml.safe_load(Path(path).expanduser().read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ParameterError(f"parameter file {path}: no such file") from None
    except OSError as error:
        raise ParameterError(f"parameter file {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise ParameterError(f"parameter file {path} is not YAML{where}: {getattr(error, 'problem', error)}") from None
    if content is None:
        return
    yield from _walk(path, "", content)


def _walk(path: Path, prefix: str, content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(content, dict):
        raise ParameterError(
            f"parameter file {path}: {prefix or 'the top'} holds {content!r}; expected a node's name, then "
            "ros__parameters:, then its parameters"
        )
    for key, value in content.items():
        if key != "ros__parameters":
            yield from _walk(path, f"{prefix}/{str(key).strip('/')}", value)
        elif isinstance(value, dict):
            yield prefix, _flatten(value)
        elif value is not None:
            raise ParameterError(
                f"parameter file {path}: ros__parameters of {prefix} holds {value!r}; expected parameters"
            )


def _flatten(parameters: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in parameters.items():
        flat.update(_flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return flat


def _matches(full_name: str, pattern: str) -> bool:
    return _parts_match(full_name.strip("/").split("/"), pattern.strip("/").split("/"))


def _parts_match(names: list[str], patterns: list[str]) -> bool:
    if not patterns:
        return not names
    if patterns[0] == "**":
        return any(_parts_match(names[skipped:], patterns[1:]) for skipped in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], patterns[0]) and _parts_match(names[1:], patterns[1:])
