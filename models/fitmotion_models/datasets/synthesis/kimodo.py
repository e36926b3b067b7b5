"""Kimodo's command line (NVIDIA, `kimodo_gen`) as another generator of motion, where it is installed.

Its SMPL-X models write AMASS's form; a way and keyframes are given as its constraints (docs, user guide: `root2d`,
`fullbody`). Its axes are y up, z forward, x left, 30 frames a second; joints are SMPL's 22.
"""

import json
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from fitmotion_models.datasets.amass import AmassName, amass_clip
from fitmotion_models.motion.condition import MotionCondition
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.skeleton.frames import rotations_z_up_to_y_up, z_up_to_y_up
from fitmotion_models.skeleton.kinematics import fill_unseen
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import to_rotvec

COMMAND = "kimodo_gen"
FPS = 30.0
DEFAULT_SECONDS = 5.0
_LONGEST_S = 3600.0
_SAID = 300  # characters of what the command says when it fails


def check_kimodo() -> str:
    """The command's path. Raises ValueError, saying what to do, where it is not installed."""
    found = shutil.which(COMMAND)
    if found is None:
        raise ValueError(
            f"generator kimodo needs its command {COMMAND}, which is not in PATH; install Kimodo as its documentation "
            "says, or take --generator fitmotion"
        )
    return found


def generate_with_kimodo(condition: MotionCondition, model: str) -> MotionClip:
    """The motion that Kimodo makes of the words, the length, the seed, the way and the keyframes of a wish.

    model: one of its SMPL-X models. A score is not known to it: the words have to say it. Raises ValueError where the
    command is missing or fails, with the last line that it says.
    """
    command = check_kimodo()
    seconds = condition.seconds or DEFAULT_SECONDS
    with tempfile.TemporaryDirectory(prefix="fitmotion-kimodo-") as name:
        folder = Path(name)
        # it parts a prompt at full stops, each part of the whole length
        words = [command, condition.prompt.replace(".", ",").strip(", "), "--model", model]
        words += ["--duration", f"{seconds:g}", "--output", str(folder / "motion")]
        if condition.seed is not None:
            words += ["--seed", str(condition.seed)]
        constraints = constraints_of(condition, seconds)
        if constraints:
            path = folder / "constraints.json"
            path.write_text(json.dumps(constraints))
            words += ["--constraints", str(path)]
        _run(words)
        return _read(folder, condition, model)


def constraints_of(condition: MotionCondition, seconds: float) -> list[dict[str, Any]]:
    """Way and keyframes in the form of Kimodo's constraint files, for a motion of that length."""
    last = max(0, round(seconds * FPS) - 1)
    found: list[dict[str, Any]] = []
    if condition.path is not None:
        frames = [min(last, round(float(stamp) * FPS)) for stamp in condition.path.stamps]
        # frames have to be different: of several points in one the first counts
        first = {frame: index for index, frame in reversed(list(enumerate(frames)))}
        points = [condition.path.positions[first[frame], :2].tolist() for frame in sorted(first)]
        # y up, x left, z forward: the floor is (x, z)
        found.append({"type": "root2d", "frame_indices": sorted(first), "smooth_root_2d": [[y, x] for x, y in points]})
    if condition.keyframes:
        poses = [keyframe.pose for keyframe in condition.keyframes]
        turns = [rotations_z_up_to_y_up(fill_unseen(pose.rotations.astype(float))) for pose in poses]
        found.append(
            {
                "type": "fullbody",
                "frame_indices": [min(last, round(keyframe.stamp * FPS)) for keyframe in condition.keyframes],
                "local_joints_rot": [to_rotvec(turn).tolist() for turn in turns],
                "root_positions": [z_up_to_y_up(pose.positions[0]).tolist() for pose in poses],
            }
        )
    return found


def _run(words: list[str]) -> None:
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LONGEST_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValueError(f"{COMMAND} could not be run: {error}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it says nothing"]
        raise ValueError(f"{COMMAND} ended with {done.returncode}: {lines[-1].strip()[:_SAID]}")


def _read(folder: Path, condition: MotionCondition, model: str) -> MotionClip:
    path = folder / "motion_amass.npz"
    if not path.is_file():
        raise ValueError(
            f"{COMMAND} wrote no {path.name}: {model} is no model of SMPL-X; give --kimodo-model Kimodo-SMPLX-RP-v1"
        )
    clip = amass_clip(path.read_bytes(), AmassName("kimodo", "kimodo", condition.prompt), target_fps=None)
    if clip is None:
        raise ValueError(f"{COMMAND} wrote no motion into {path.name}")
    return replace(clip, source=Source.GENERATED, labels=(condition.prompt,))
