"""All recordings of a set in ASF/AMC files (CMU, HDM05), from its folder or its tar archive."""

import tarfile
from collections.abc import Iterator
from io import BytesIO
from os import PathLike
from pathlib import Path

from fitmotion_models.datasets.asf_amc import read_asf, read_asf_amc
from fitmotion_models.skeleton.motion_clip import MotionClip


def read_asf_recordings(
    source: str | PathLike[str], *, fps: float = 120.0, target_fps: float = 30.0
) -> Iterator[tuple[str, MotionClip]]:
    """Name and clip of every motion file, by name; its skeleton is the one it is named after.

    fps: of the recordings. target_fps: of the clips. Raises ValueError naming the source and what is wrong: no such
    source, nothing of its kind in it, a motion without its skeleton, and what `read_asf_amc` says of damaged files.
    """
    path = Path(source)
    files = _contents(path)
    skeletons = {name[:-4]: read_asf(BytesIO(content)) for name, content in files.items() if name.endswith(".asf")}
    motions = sorted(name for name in files if name.endswith(".amc"))
    if not motions:
        raise ValueError(f"{path} holds no recording in ASF/AMC files; give the set's folder or its tar archive")
    for name in motions:
        skeleton = next((one for key, one in skeletons.items() if name.startswith(f"{key}_")), None)
        if skeleton is None:
            raise ValueError(f"{path}: {name} has no skeleton file; expected one that its name begins with, plus .asf")
        yield name[:-4], read_asf_amc(skeleton, BytesIO(files[name]), fps=fps, target_fps=target_fps)


def _contents(path: Path) -> dict[str, bytes]:
    endings = (".asf", ".amc")
    if path.is_dir():
        return {file.name: file.read_bytes() for file in path.rglob("*") if file.suffix in endings}
    try:
        with tarfile.open(path) as tar:
            return {
                Path(member.name).name: file.read()
                for member in tar
                if member.name.endswith(endings) and (file := tar.extractfile(member)) is not None
            }
    except (OSError, tarfile.TarError) as error:
        raise ValueError(f"{path} can't be read: {error}; give the set's folder or its tar archive") from error
