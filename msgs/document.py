"""Writes msgs/README.md, the page on the messages, from the comments in the interface files.

Run it after every change of a message: `./fitmotion exec -- python msgs/document.py`. The tests compare.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
KINDS = {"msg": "Messages", "srv": "Services", "action": "Actions"}
SECTIONS = {
    "msg": ("Fields",),
    "srv": ("Request", "Response"),
    "action": ("Goal", "Result", "Feedback"),
}
INTRODUCTION = """# fitmotion_msgs

The messages, services and actions of FitMotion. Units are metres, seconds and radians; frames follow REP-103 (x
forward, y left, z up); a stamp is the acquisition time of the image behind a value. This page is made from the comments
in the interface files by [document.py](document.py).
"""
_CONSTANT = re.compile(r"^(\w+)\s+([A-Z][A-Z0-9_]*)\s*=\s*(\S+)\s*(?:#\s*(.*))?$")
_FIELD = re.compile(r"^([\w/\[\]<>=]+)\s+([a-z][a-z0-9_]*)(?:\s+([^\s#]+))?\s*(?:#\s*(.*))?$")


@dataclass
class Part:
    """What stands between two `---` lines. constants: (heading, rows of name, value, comment)."""

    constants: list[tuple[str, list[tuple[str, str, str]]]] = field(default_factory=list)
    fields: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass
class Interface:
    """One interface file."""

    name: str
    kind: str
    description: list[str]
    parts: list[Part]


def read_interface(path: Path) -> Interface:
    """Parse an interface file: a description, then constants under their comments, and fields with theirs.

    Raises ValueError naming the line when a field has no comment or a line can't be read.
    """
    kind = path.suffix.removeprefix(".")
    description: list[str] = []
    parts = [Part()]
    heading: list[str] = []
    in_description = True
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        text = line.strip()
        if in_description and text.startswith("#"):
            description.append(text.removeprefix("#").strip())
            continue
        in_description = False
        constant, entry = _CONSTANT.match(text), _FIELD.match(text)
        if not text:
            heading = []
        elif text == "---":
            parts.append(Part())
        elif text.startswith("#"):
            heading.append(text.removeprefix("#").strip())
        elif constant:
            groups = parts[-1].constants
            if heading or not groups:
                groups.append((" ".join(heading), []))
                heading = []
            groups[-1][1].append((constant[2], constant[3], constant[4] or ""))
        elif entry:
            if not entry[4] and entry[2] != "success":
                raise ValueError(f"{path}:{number}: field {entry[2]} has no comment; say its unit, frame and range")
            unless_set = f"; {entry[3]} unless set" if entry[3] else ""
            parts[-1].fields.append((entry[1], entry[2], (entry[4] or "whether it was done") + unless_set))
        else:
            raise ValueError(f"{path}:{number}: can't read {text!r}")
    return Interface(path.stem, kind, description, parts)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    cells = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    return [f"| {' | '.join(row)} |" for row in (head, tuple("---" for _ in head), *cells)]


def page_of(interface: Interface) -> list[str]:
    """The lines of one interface on the page."""
    lines = [f"### {interface.name}", "", *interface.description, ""]
    for section, part in zip(SECTIONS[interface.kind], interface.parts, strict=True):
        if len(interface.parts) > 1:
            lines += [f"**{section}**", ""]
        if part.fields:
            rows = [(f"`{name}`", f"`{kind}`", comment) for kind, name, comment in part.fields]
            lines += [*_table(("field", "type", "meaning"), rows), ""]
        for heading, constants in part.constants:
            shown = [f"`{name}` = {value}" + (f" ({comment})" if comment else "") for name, value, comment in constants]
            lines += [f"{heading or 'Constants.'} {', '.join(shown)}.", ""]
    return lines


def page(folder: Path = FOLDER) -> str:
    """The whole page for the interface files under `folder`."""
    lines = [INTRODUCTION]
    for kind, title in KINDS.items():
        lines += [f"## {title}", ""]
        for path in sorted((folder / kind).glob(f"*.{kind}")):
            lines += page_of(read_interface(path))
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    (FOLDER / "README.md").write_text(page())
    sys.stdout.write(f"wrote {FOLDER / 'README.md'}\n")
