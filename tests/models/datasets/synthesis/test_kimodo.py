"""Kimodo's command line, in its place a command of the same arguments that writes the same files."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.datasets.synthesis.kimodo import constraints_of, generate_with_kimodo
from fitmotion_models.motion.condition import Keyframe, MotionCondition, RootPath
from fitmotion_models.skeleton.body_pose import Source

from .conftest import lunge

# Writes what it was given, and a body that stands for so long, as `kimodo/exports/smplx.py` does: AMASS's fields, z up.
COMMAND = """#!{python}
import json, sys
from pathlib import Path
import numpy as np
words = sys.argv[1:]
given = dict(zip(words[1::2], words[2::2]))
stem = Path(given["--output"])
frames = int(float(given["--duration"]) * 30)
said = {{"prompt": words[0], **given}}
if "--constraints" in given:
    said["constraints"] = json.loads(Path(given["--constraints"]).read_text())
Path({log!r}).write_text(json.dumps(said))
if "explode" in words[0]:
    print("loading", file=sys.stderr); print("CUDA out of memory", file=sys.stderr); sys.exit(3)
np.savez(stem.with_name(stem.name + ".npz"), posed_joints=np.zeros((frames, 22, 3)))
if "SMPLX" in given["--model"]:
    trans = np.zeros((frames, 3)); trans[:, 0] = np.arange(frames) / 30
    np.savez(
        stem.with_name(stem.name + "_amass.npz"), gender="neutral", surface_model_type="smplx", betas=np.zeros(16),
        mocap_frame_rate=30.0, trans=trans, root_orient=np.tile([np.pi / 2, 0, 0], (frames, 1)),
        pose_body=np.zeros((frames, 63)),
    )
"""


@pytest.fixture
def log(tmp_path, monkeypatch) -> Path:
    """The command in PATH; gives the file of what it was told."""
    folder, log = tmp_path / "bin", tmp_path / "said.json"
    folder.mkdir()
    (folder / "kimodo_gen").write_text(COMMAND.format(python=sys.executable, log=str(log)))
    (folder / "kimodo_gen").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return log


def test_a_wish_becomes_its_arguments_and_its_file_a_clip(log):
    condition = MotionCondition("a person walks. Then stops.", seconds=2.0, seed=5)
    clip = generate_with_kimodo(condition, "Kimodo-SMPLX-RP-v1")
    said = json.loads(log.read_text())
    # full stops part prompts there, each of them as long
    assert said["prompt"] == "a person walks, Then stops" and said["--seed"] == "5" and said["--duration"] == "2"
    assert clip.fps == 30.0 and len(clip) == 60 and clip.source is Source.GENERATED
    assert clip.labels == ("a person walks. Then stops.",)
    # upright, and a metre a second sideways to where it looks (AMASS: x is the body's left when it faces -y)
    height = clip.positions[:, 15, 2] - clip.positions[:, 0, 2]
    assert (height > 0.4).all()
    way = clip.positions[-1, 0] - clip.positions[0, 0]
    np.testing.assert_allclose(np.linalg.norm(way), 59 / 30, atol=1e-3)


def test_way_and_keyframes_are_its_constraints():
    pose = lunge("left").frame(30)
    condition = MotionCondition(
        "a person lunges",
        seconds=2.0,
        path=RootPath(np.array([0.0, 0.01, 1.0, 2.0]), np.array([(0.0, 0.0), (0.0, 0.0), (0.5, 0.1), (1.0, 0.3)])),
        keyframes=(Keyframe(1.5, pose),),
    )
    root, body = constraints_of(condition, 2.0)
    # its ground is (x, z), x to the left and z forward; frames are different and inside of the motion
    assert root == {
        "type": "root2d",
        "frame_indices": [0, 30, 59],
        "smooth_root_2d": [[0.0, 0.0], [0.1, 0.5], [0.3, 1.0]],
    }
    assert body["type"] == "fullbody" and body["frame_indices"] == [45]
    forward, left, up = pose.positions[0]
    np.testing.assert_allclose(body["root_positions"][0], [left, up, forward], atol=1e-6)
    # the same rotation in its axes: by SciPy, through the change of basis
    basis = np.array([(0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)])
    expected = basis @ Rotation.from_quat(pose.rotations[4]).as_matrix() @ basis.T
    found = Rotation.from_rotvec(body["local_joints_rot"][0][4]).as_matrix()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_goes_wrong_is_one_sentence(log, monkeypatch):
    with pytest.raises(ValueError, match="kimodo_gen ended with 3: CUDA out of memory"):
        generate_with_kimodo(MotionCondition("explode"), "Kimodo-SMPLX-RP-v1")
    with pytest.raises(ValueError, match="Kimodo-SOMA-RP-v1 is no model of SMPL-X"):
        generate_with_kimodo(MotionCondition("walk"), "Kimodo-SOMA-RP-v1")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ValueError, match="not in PATH; install Kimodo"):
        generate_with_kimodo(MotionCondition("walk"), "Kimodo-SMPLX-RP-v1")
