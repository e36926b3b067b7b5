"""Fetching networks and putting them where they are found by name: resumed, checked, unpacked, written down."""

import http.client
import json
import os
import shutil
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fitmotion_models.pose.catalogue import (
    RECORD_FILE,
    CatalogueEntry,
    catalogue,
    installed_folder,
    models_folder,
    record_of,
    sha256_of,
)
from fitmotion_models.pose.model_folder import DEPLOY_FILE, NETWORK_FILE, PIPELINE_FILE, read_pose_form
from fitmotion_models.runtime.session import ModelError, load_model

Progress = Callable[[int, int | None], None]

PATIENCE_S = 30.0  # for an answer, and between two pieces of it
_BLOCK = 1 << 16
# what of an archive is kept: the network and what says how it is used
_KEPT = (NETWORK_FILE, DEPLOY_FILE, PIPELINE_FILE, "detail.json")
_MOST_BYTES = 4 << 30  # of a network; more is a broken or hostile archive


class DownloadError(RuntimeError):
    """A network that could not be fetched; the text says why and what to do instead."""


def download(entry: CatalogueEntry, progress: Progress | None = None, *, again: bool = False) -> Path:
    """Fetch a network of the catalogue into its folder, which is returned; one that is there stays unless `again`.

    What an earlier try has fetched is taken up where it stopped. progress: called with (bytes there, bytes in all or
    None). Raises DownloadError, and ValueError when what came is not what the catalogue or an earlier record says.
    """
    there = installed_folder(entry.name)
    if there is not None and not again:
        return there
    models_folder().mkdir(parents=True, exist_ok=True)
    part = models_folder() / f"{entry.name}.zip.part"
    _fetch(entry, part, progress)
    _check("archive", entry.name, part, entry.archive_sha256)
    return _install(part, entry.name, entry.url, entry.sha256, remove=True)


def add(path: Path, name: str = "") -> Path:
    """Copy a network that somebody has (archive, folder of MMDeploy, bare .onnx file) to where it is found by name.

    name: without it the catalogue's where the file is one of its networks, else the file's own. It is not looked into
    here. Raises ValueError and OSError.
    """
    path = path.expanduser()
    if not path.exists():
        raise ValueError(
            f"{path}: no such file or folder; give an archive, a folder with {NETWORK_FILE} or an .onnx file"
        )
    if not name:
        name = _known_name(path) or (path.name if path.is_dir() else path.stem)
    if not name.replace("-", "_").replace(".", "_").isidentifier():
        raise ValueError(f"'{name}' cannot name a model; give a name of letters, digits, - and _ with --name")
    entry = catalogue().get(name)
    models_folder().mkdir(parents=True, exist_ok=True)
    return _install(path, name, str(path), entry.sha256 if entry else "", remove=False)


def engine_of(folder: Path) -> str:
    """The engine that a network gets on this machine, and why not a better one, by loading it.

    Raises ValueError and FileNotFoundError for a network that cannot be used.
    """
    from fitmotion_models.pose.person_detector import PersonDetector
    from fitmotion_models.pose.pose_network import PoseNetwork

    network = PersonDetector(folder) if is_detector(folder) else PoseNetwork(folder)
    return "; ".join([network.engine, *network.passed_over])


def is_detector(folder: Path) -> bool:
    """Whether a folder's network finds people rather than their landmarks: by the catalogue, else by what it gives."""
    entry = catalogue().get(folder.name)
    if entry is not None:
        return entry.kind == "detector"
    try:
        read_pose_form(folder)
    except ModelError:
        return True  # deploy.json or pipeline.json says so
    outputs = load_model(folder / NETWORK_FILE, providers="cpu").outputs
    return len(outputs) != 2 or "dets" in {tensor.name for tensor in outputs}


def remove(name: str) -> None:
    """Delete a network from this machine. Raises ValueError when it is not there."""
    folder = installed_folder(name)
    if folder is None:
        raise ValueError(f"model {name} is not on this machine")
    shutil.rmtree(folder)


# ---- fetching ----


def _fetch(entry: CatalogueEntry, part: Path, progress: Progress | None) -> None:
    """The archive into `part`, from where that ends."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(entry.url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT
            have = have if resumed else 0
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length else (entry.archive_bytes or None)
            with part.open("ab" if resumed else "wb") as stream:
                while block := answer.read(_BLOCK):
                    stream.write(block)
                    have += len(block)
                    if progress is not None:
                        progress(have, total)
        if total is not None and have < total:
            raise http.client.IncompleteRead(b"", total - have)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # everything is there already; the hash will tell
        raise DownloadError(_cannot(entry, f"the server answers {error.code} {error.reason}")) from error
    except (OSError, http.client.HTTPException) as error:
        kept = f"; {part.stat().st_size} bytes are kept, the next try goes on from there" if part.exists() else ""
        reason = getattr(error, "reason", None) or error or type(error).__name__
        raise DownloadError(_cannot(entry, f"{reason}{kept}")) from error


def _cannot(entry: CatalogueEntry, why: str) -> str:
    return (
        f"{entry.name} cannot be downloaded: {why}. Fetch {entry.url} on a machine with a network and run "
        f"`./fitmotion models add FILE --name {entry.name}` here"
    )


def _check(what: str, name: str, path: Path, wanted: str) -> None:
    """Hold a file against a hash; what does not fit is removed, as going on from it could never succeed."""
    found = sha256_of(path) if wanted else ""
    if found != wanted:
        path.unlink()
        raise ValueError(
            f"{name}: the {what} has SHA-256 {found}, not {wanted}; it came broken or is another one and was removed. "
            "Try again, or look into the file yourself and give its path instead of the name"
        )


# ---- installing ----


def _install(source: Path, name: str, origin: str, wanted: str, *, remove: bool) -> Path:
    """Put a network into its folder in one step, with a record of where it came from and its hash."""
    folder = models_folder() / name
    earlier = wanted or str(record_of(folder).get("sha256", ""))
    with _new_folder(name) as made:
        try:
            _unpack(source, made)
        except (zipfile.BadZipFile, KeyError) as error:
            if remove:
                source.unlink()
            raise ValueError(f"{name}: {origin} is no archive with {NETWORK_FILE} inside ({error})") from error
        found = sha256_of(made / NETWORK_FILE)
        if earlier and found != earlier:
            if remove:
                source.unlink()
            said = "the catalogue says" if wanted else "the one that is there has"
            raise ValueError(
                f"{name}: the network from {origin} has SHA-256 {found}; {said} {earlier}. If you trust it, give it "
                "another name with `models add FILE --name`"
            )
        record = {"name": name, "source": origin, "sha256": found, "installed": time.strftime("%Y-%m-%d")}
        (made / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    if remove:
        source.unlink()
    return folder


@contextmanager
def _new_folder(name: str) -> Iterator[Path]:
    """A folder beside the others that becomes one of them, or goes away."""
    made = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=models_folder()))
    made.chmod(0o755)
    try:
        yield made
    finally:
        if made.exists():
            shutil.rmtree(made)


def _unpack(source: Path, into: Path) -> None:
    """The network and what says how it is used, from an archive, a folder or a bare file."""
    if source.is_dir():
        for name in _KEPT:
            if (source / name).is_file():
                shutil.copyfile(source / name, into / name)
        if not (into / NETWORK_FILE).is_file():
            raise KeyError(f"no {NETWORK_FILE} in {source}")
        return
    if source.suffix == ".onnx":
        shutil.copyfile(source, into / NETWORK_FILE)
        for name in _KEPT[1:]:
            if (source.parent / name).is_file():
                shutil.copyfile(source.parent / name, into / name)
        return
    with zipfile.ZipFile(source) as archive:
        members = {info.filename: info for info in archive.infolist()}
        networks = [name for name in members if Path(name).name == NETWORK_FILE]
        if len(networks) != 1:
            raise KeyError(f"{len(networks)} files called {NETWORK_FILE}")
        folder = os.path.dirname(networks[0])
        for name in _KEPT:
            member = members.get(f"{folder}/{name}" if folder else name)
            if member is None:
                continue
            if member.file_size > _MOST_BYTES:
                raise KeyError(f"{name} would have {member.file_size} bytes")
            with archive.open(member) as packed, (into / name).open("wb") as stream:
                shutil.copyfileobj(packed, stream)


def _known_name(path: Path) -> str:
    """The catalogue's name of a file: by the hash of the network, else by the archive's name."""
    network = path / NETWORK_FILE if path.is_dir() else path
    digest = sha256_of(network) if network.is_file() else ""
    for name, entry in catalogue().items():
        if digest and digest in (entry.sha256, entry.archive_sha256):
            return name
        if path.stem == Path(entry.url).stem:
            return name
    return ""
