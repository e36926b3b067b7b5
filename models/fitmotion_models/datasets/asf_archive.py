"""All recordings of a set in ASF/AMC files (CMU, HDM05), from its folder or its tar archive."""

from collections.abc import Iterator
from io import BytesIO
from os import PathLike

from fitmotion_models.datasets.asf_amc import read_asf, read_asf_amc
from fitmotion_models.datasets.set_files import set_files
from fitmotion_models.skeleton.motion_clip import MotionClip


def read_asf_recordings(
    source: str | PathLike[str], *, fps: float = 120.0, target_fps: float = 30.0
) -> Iterator[tuple[str, MotionClip]]:
    """Name and clip of every motion file, by name; its skeleton is the one it is named after.

    fps: of the recordings. target_fps: of the clips. Raises ValueError naming the source and what is wrong: no such
    source, nothing of its kind in it, a motion without its skeleton, and what `read_asf_amc` says of damaged files.
    """
    files = {file.name: content() for file, content in set_files(source, (".asf", ".amc"), "a set in ASF/AMC files")}
    skeletons = {name[:-4]: read_asf(BytesIO(content)) for name, content in files.items() if name.endswith(".asf")}
    motions = sorted(name for name in files if name.endswith(".amc"))
    if not motions:
        raise ValueError(f"{source} holds no recording in ASF/AMC files; give the set's folder or its tar archive")
    for name in motions:
        skeleton = next((one for key, one in skeletons.items() if name.startswith(f"{key}_")), None)
        if skeleton is None:
            raise ValueError(
                f"{source}: {name} has no skeleton file; expected one that its name begins with, plus .asf"
            )
        yield name[:-4], read_asf_amc(skeleton, BytesIO(files[name]), fps=fps, target_fps=target_fps)
