"""The networks that can be had by name: `catalogue.yaml` as values, and where they lie on this machine."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from fitmotion_models.pose.model_folder import NETWORK_FILE
from fitmotion_models.runtime.engines import cache_folder

RECORD_FILE = "fitmotion.json"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class CatalogueEntry:
    """A network by name. kind: "pose" or "detector". landmarks: how many, 0 of a detector. input: (width, height).

    url: of its archive. licence, data: of the release and of what it was trained on. accuracy: AP, see catalogue.yaml;
    NaN where none is stated. sha256, bytes of the network, archive_sha256, archive_bytes of the archive: "" and 0 where
    nobody states them.
    """

    name: str
    kind: str
    landmarks: int
    input: tuple[int, int]
    url: str
    licence: str
    data: str
    accuracy: float
    sha256: str
    bytes: int
    archive_sha256: str
    archive_bytes: int


@cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """Every known network by name."""
    table = _table()
    return MappingProxyType({name: _entry(name, row, table) for name, row in table["models"].items()})


def default_detector() -> str:
    """The name of the detector that is used where none is named."""
    return str(_table()["default_detector"])


def entry_of(name: str) -> CatalogueEntry:
    """The network of that name. Raises ValueError, naming the known ones."""
    if name not in catalogue():
        raise ValueError(f"model '{name}' unknown; known: {', '.join(catalogue())}")
    return catalogue()[name]


def models_folder() -> Path:
    """Where networks are kept: $FITMOTION_MODELS, else models in the cache folder."""
    given = os.environ.get("FITMOTION_MODELS")
    return Path(given).expanduser() if given else cache_folder() / "models"


def installed_folder(name: str) -> Path | None:
    """The folder of a network on this machine, or None."""
    folder = models_folder() / name
    return folder if (folder / NETWORK_FILE).is_file() else None


def installed_names() -> list[str]:
    """The networks on this machine, of the catalogue and added ones."""
    folder = models_folder()
    return sorted(path.parent.name for path in folder.glob(f"*/{NETWORK_FILE}")) if folder.is_dir() else []


def record_of(folder: Path) -> dict[str, Any]:
    """What was written down when a network was downloaded or added; empty where nothing can be read."""
    try:
        found = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def find_model(given: str, kind: str, wanted: str) -> Path:
    """A network as a person names it: a path, or the name of one on this machine. kind: "pose" or "detector".

    wanted: the option that takes a path, for the message. Raises ValueError and FileNotFoundError, one sentence each.
    """
    if os.sep in given or Path(given).suffix == ".onnx" or Path(given).exists():
        return Path(given).expanduser()
    folder = installed_folder(given)
    entry = catalogue().get(given)
    if entry is not None and entry.kind != kind:
        raise ValueError(f"model '{given}' is a {entry.kind} network; {wanted} takes a {kind} network")
    if folder is not None:
        return folder
    if entry is None:
        known = [name for name, other in catalogue().items() if other.kind == kind]
        raise ValueError(f"{wanted} {given}: neither a file nor a known {kind} network; known: {', '.join(known)}")
    raise FileNotFoundError(
        f"model {given} is not on this machine; `./fitmotion models download {given}` fetches it, or give the path of "
        f"a copy with {wanted}"
    )


@cache
def _table() -> Mapping[str, Any]:
    text = files("fitmotion_models.pose").joinpath("catalogue.yaml").read_text(encoding="utf-8")
    table: Mapping[str, Any] = yaml.safe_load(text)
    return table


def _entry(name: str, row: Mapping[str, Any], table: Mapping[str, Any]) -> CatalogueEntry:
    width, height = row["input"]
    return CatalogueEntry(
        name=name,
        kind=row["kind"],
        landmarks=row.get("landmarks", 0),
        input=(width, height),
        url=table["base"] + row["url"],
        licence=table["licence"],
        data=table["data"][row["data"]],
        accuracy=float(row.get("accuracy", "nan")),
        sha256=row.get("sha256", ""),
        bytes=row.get("bytes", 0),
        archive_sha256=row.get("archive_sha256", ""),
        archive_bytes=row.get("archive_bytes", 0),
    )
