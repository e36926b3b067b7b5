"""The motion in one file, whatever kind it is: a clip, a BVH or AMC recording, or a video of a person."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from fitmotion_models.datasets.asf_amc import read_asf_amc
from fitmotion_models.datasets.bandai import JOINTS as BANDAI_JOINTS
from fitmotion_models.datasets.bandai import BandaiName, bandai_clip
from fitmotion_models.exchange.bvh import clip_from_bvh, read_bvh
from fitmotion_models.pose.backends import BackendChoice
from fitmotion_models.skeleton.clip_file import load_clip
from fitmotion_models.skeleton.motion_clip import MotionClip, clip_from_poses

CLIP_SUFFIXES = (".npz", ".bvh", ".amc")
AMC_FPS = 120.0  # of CMU and HDM05; the files do not tell
Progress = Callable[[int, int | None], None]


def read_any_clip(
    source: str,
    *,
    skeleton: Path | None = None,
    fps: float = AMC_FPS,
    subject: str = "",
    backend: str | BackendChoice = "mediapipe",
    calibration: Path | None = None,
    progress: Progress | None = None,
) -> MotionClip:
    """The clip of a file: MotionClip (.npz), BVH of SMPL-22's joints or Bandai Namco's, AMC, else a video or images.

    skeleton: of an AMC file, its .asf; without it the one in its folder that its name begins with, or the only one.
    fps: of an AMC file. subject: whose motion it is; empty: as the file says. backend, calibration: what looks for the
    body in a video, and the camera (YAML). progress: called with images done and images there are or None.
    Raises ValueError, one sentence with the file, and OSError.
    """
    path = Path(source)
    suffix = path.suffix.lower()
    if suffix in CLIP_SUFFIXES and not path.is_file():
        raise ValueError(f"{source} does not exist; give a clip (.npz, .bvh, .amc) or a video")
    if suffix == ".npz":
        clip = load_clip(path)
    elif suffix == ".bvh":
        clip = _from_bvh(path)
    elif suffix == ".amc":
        clip = read_asf_amc(skeleton or _skeleton_of(path), path, fps=fps, target_fps=None)
    else:
        clip = _from_video(source, subject or "person", backend, calibration, progress)
    return replace(clip, subject=subject) if subject else clip


def _from_bvh(path: Path) -> MotionClip:
    motion = read_bvh(path)
    if set(BANDAI_JOINTS.values()) <= set(motion.names):
        return replace(bandai_clip(motion, BandaiName(1, path.stem, "", "001")), subject=path.stem, labels=(path.stem,))
    return clip_from_bvh(motion)


def _skeleton_of(path: Path) -> Path:
    found = sorted(path.parent.glob("*.asf")) + sorted(path.parent.glob("*.ASF"))
    named = [one for one in found if path.stem.startswith(f"{one.stem}_")]
    if len(named or found) != 1:
        raise ValueError(
            f"{path} needs its skeleton, and {len(named or found)} .asf files beside it could be it; give it with --asf"
        )
    return (named or found)[0]


def _from_video(
    source: str, subject: str, backend: str | BackendChoice, calibration: Path | None, progress: Progress | None
) -> MotionClip:
    from fitmotion_models.pose.camera_model import CameraModel
    from fitmotion_models.pose.image_source import open_source
    from fitmotion_models.pose.recorded_poses import recorded_poses

    model = None if calibration is None else CameraModel.from_file(calibration)
    images = open_source(source)
    try:
        if images.live:
            raise ValueError(f"{source} is live and has no end; give a recording, or `up --source {source} --imu ...`")
        size = (images.width, images.height)
        camera = CameraModel.guess(*size) if model is None else model.scaled_to(*size)
        poses = []
        for number, pose in enumerate(recorded_poses(images, backend, camera, subject, None, Counter()), 1):
            if pose is not None:
                poses.append(pose)
            if progress is not None:
                progress(number, images.frame_count)
        if not poses:
            raise ValueError(f"{source}: no person was seen; the whole body has to be in the picture")
        return clip_from_poses(poses, images.fps)
    finally:
        images.close()
