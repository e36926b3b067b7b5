"""`fitmotion generate` from words to files, on a network written here whose motion is known."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.exchange.bvh import clip_from_bvh, read_bvh
from fitmotion_models.motion.features import LAYOUT
from fitmotion_models.motion.sampler import input_shapes
from fitmotion_models.motion.standing import standing_features
from fitmotion_models.skeleton.clip_file import load_clip

onnx = pytest.importorskip("onnx")

PROMPT = "a person performs a deep squat"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A body that stands, sways with the noise, and is where a target says."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    sway = np.zeros(LAYOUT.size, np.float32)
    sway[LAYOUT["root_position"]] = 0.01
    nodes = [
        helper.make_node("Mul", ["noise", "sway"], ["swaying"]),
        helper.make_node("Add", ["standing", "swaying"], ["free"]),
        helper.make_node("Sub", ["target", "free"], ["missing"]),
        helper.make_node("Mul", ["missing", "target_mask"], ["bound"]),
        helper.make_node("Add", ["free", "bound"], ["future"]),
    ]
    graph = helper.make_graph(
        nodes,
        "standing",
        [helper.make_tensor_value_info(name, kind, (1, *shape)) for name, shape in input_shapes(384).items()],
        [helper.make_tensor_value_info("future", kind, (1, 20, LAYOUT.size))],
        [
            onnx.numpy_helper.from_array(standing_features(20)[None].astype(np.float32), "standing"),
            onnx.numpy_helper.from_array(sway, "sway"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    folder = tmp_path_factory.mktemp("weights")
    onnx.save(model, folder / "motion_stream.onnx")
    return folder


def run(folder: Path, weights: Path, *words: str, prompt: str = PROMPT) -> Any:
    """The command in a folder; `@` in a word stands for it."""
    given = [word.replace("@", f"{folder}/") for word in words]
    return CliRunner().invoke(app, ["generate", prompt, *given, "--weights", str(weights)])


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_one_wish_becomes_all_kinds_of_files_and_the_same_seed_the_same_motion(tmp_path: Path, weights: Path) -> None:
    words = ("--fms", "1", "--seconds", "1.5", "--seed", "7")
    found = run(tmp_path, weights, *words, "-o", "@a.bvh", "-o", "@a.npz", "--strip", "@a.png", "--json")
    assert found.exit_code == 0, found.output
    report = json.loads(found.stdout)
    assert report["fms_score"] == 1 and report["conditioning"] == "token" and report["motions"][0]["seed"] == 7
    assert report["motions"][0]["seconds"] == 1.5 and report["motions"][0]["timings"]["total"] > 0.0
    assert [Path(one).name for one in report["files"]] == ["a.bvh", "a.npz", "a.png"] and len(names(tmp_path)) == 3
    clip = load_clip(tmp_path / "a.npz")
    assert clip.fps == 20.0 and len(clip) == 30 and clip.labels == (PROMPT, "FMS score 1")
    read = clip_from_bvh(read_bvh(tmp_path / "a.bvh"))
    np.testing.assert_allclose(read.positions, clip.positions, atol=1e-4)
    assert cv2.imread(str(tmp_path / "a.png")).shape[1] > 400
    again = run(tmp_path, weights, *words, "-o", "@b.npz")
    assert again.exit_code == 0 and "seed 7" in again.stdout
    np.testing.assert_array_equal(load_clip(tmp_path / "b.npz").positions, clip.positions)


def test_several_motions_get_numbers_and_seeds_that_follow(tmp_path: Path, weights: Path) -> None:
    words = ("--seconds", "1", "--seed", "7", "--count", "2", "-o", "@w.npz", "--strip", "@w.png", "--json")
    report = json.loads(run(tmp_path, weights, *words).stdout)
    assert [one["seed"] for one in report["motions"]] == [7, 8]
    assert names(tmp_path) == ["w-1.npz", "w-2.npz", "w.png"]
    first, second = (load_clip(tmp_path / f"w-{number}.npz") for number in (1, 2))
    assert np.abs(first.positions - second.positions).max() > 1e-4


def test_without_a_name_a_video_appears_that_says_what_was_asked(
    tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run(tmp_path, weights, "--seconds", "0.2").exit_code == 0
    assert names(tmp_path) == ["a-person-performs-a-deep-squat-2.mp4", "a-person-performs-a-deep-squat.mp4"]


def test_a_way_and_keyframes_are_passed_through(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "way.csv").write_text("seconds,x,y\n0,0,0\n2,1.2,0.4\n")
    assert run(tmp_path, weights, "--seed", "1", "--path", "@way.csv", "-o", "@w.npz", prompt="walk").exit_code == 0
    walk = load_clip(tmp_path / "w.npz")
    np.testing.assert_allclose(walk.positions[-1, 0, :2], [1.2, 0.4], atol=0.06)  # its last frame is before 2 s
    words = ("--seed", "2", "--seconds", "2", "--keyframes", "@w.npz", "--keyframe-at", "1.5", "-o", "@k.npz")
    assert run(tmp_path, weights, *words, prompt="walk").exit_code == 0
    np.testing.assert_allclose(
        load_clip(tmp_path / "k.npz").positions[30], walk.positions[30], atol=0.06
    )  # feet are planted


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fms", "7"), "score 7 is none"),
        (("--seconds", "0"), "length 0 s"),
        (("--conditioning", "loud"), "'loud' unknown; known: default, numerical, textual, token"),
        (("--engine", "steam"), "engine 'steam' unknown"),
        (("-o", "@a.fbx"), "written as .bvh, .npz, .mp4, .png"),
        (("-o", "@nowhere/a.npz"), "does not exist"),
        (("-o", "@a.npz", "-o", "@a.npz"), "named twice"),
        (("--video", "@a.avi"), "must end in .mp4"),
        (("-o", "@there.npz"), "exists"),
        (("--keyframe-at", "1"), "--keyframes"),
        (("--path", "@way.csv", "-o", "@a.npz"), "line 3: '1,one,0' is not 3 numbers"),
        (("--path", "@there.npz", "-o", "@a.npz"), "a way's first line is seconds,x,y,z"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    tmp_path: Path, weights: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "way.csv").write_text("seconds,x,y\n0,0,0\n1,one,0\n")
    (tmp_path / "there.npz").write_bytes(b"mine")
    found = run(tmp_path, weights, *words)
    assert found.exit_code == 2 and said in found.stderr and found.stderr.count("\n") == 1
    assert names(tmp_path) == ["there.npz", "way.csv"] and (tmp_path / "there.npz").read_bytes() == b"mine"


def test_an_interruption_leaves_nothing(tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fitmotion_models.viewer.clip_outputs.draw_strip", interrupted)
    words = ("--seconds", "1", "-o", "@a.bvh", "-o", "@a.npz", "--strip", "@a.png")
    assert run(tmp_path, weights, *words).exit_code != 0
    assert names(tmp_path) == []
