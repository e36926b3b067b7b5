"""What may be asked of the generator, and what is said of the rest."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitmotion_models.motion.condition import Conditioning, Keyframe, MotionCondition, RootPath
from fitmotion_models.motion.features import LAYOUT, clip_of

MESSAGE = Path(__file__).resolve().parents[3] / "msgs" / "msg" / "MotionCommand.msg"


def test_the_numbers_of_the_conditioning_are_the_messages() -> None:
    stated = dict(
        line.split("#")[0].removeprefix("uint8 CONDITIONING_").strip().split("=")
        for line in MESSAGE.read_text().splitlines()
        if line.startswith("uint8 CONDITIONING_")
    )
    assert {one.name: str(one.value) for one in Conditioning} == stated


def test_a_prompt_is_one_line_in_any_language() -> None:
    assert MotionCondition("  a person\n walks\tforward ").prompt == "a person walks forward"
    assert MotionCondition("eine Person geht in die Hocke, über 90°").prompt.endswith("über 90°")
    assert MotionCondition("人がしゃがむ", score=np.int8(2)).score == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": " \n\0"}, "prompt is empty"),
        ({"prompt": "squat " * 1667}, 'prompt "squat squat .*" has 10001 characters; at most 512'),
        ({"prompt": 3}, "prompt must be words; got int"),
        ({"score": 7}, "score 7 is none; give a whole number from 0 to 3"),
        ({"score": -1}, "score -1 is none"),
        ({"score": 2.0}, "score 2.0 is none"),
        ({"score": True}, "score True is none"),
        ({"seed": -1}, "seed -1 is none"),
        ({"seconds": 0}, "length 0 s: more than 0 and at most 600"),
        ({"seconds": 3600}, "length 3600 s: more than 0 and at most 600"),
        ({"seconds": math.nan}, "length is nan"),
        ({"seconds": "long"}, "length must be a number; got 'long'"),
        ({"text_guidance": 11}, "text_guidance 11 is outside 0 to 10"),
        ({"score_guidance": math.inf}, "score_guidance is inf"),
        ({"conditioning": 9}, "conditioning 9 unknown; known: 0 default, 1 numerical, 2 textual, 3 token"),
        ({"seconds": 2, "path": RootPath([0, 3], [[0, 0], [1, 0]])}, "path goes to 3 s, the motion to 2 s"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_sentence(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        MotionCondition(**{"prompt": "a person squats", **given})
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("stamps", "positions", "said"),
    [
        ([0, 1], [[0, 0], [math.nan, 0]], "path positions hold NaN or infinity at point 1"),
        ([0, math.inf], [[0, 0], [1, 0]], "path stamps hold NaN or infinity at point 1"),
        ([], np.zeros((0, 2)), "one or more seconds"),
        ([0, 0], [[0, 0], [1, 0]], "each later than the one before"),
        ([-1, 0], [[0, 0], [1, 0]], "from 0 on"),
        ([0, 1], [[0, 0], [40, 0]], "40.0 m/s after 0 s; a person reaches 12.5"),
        ([0, 1], [0, 1], r"positions \(2,\); give"),
        ([0], [[0, 0, 0]], "pelvis 0 m over the floor"),
    ],
)
def test_paths_that_nobody_can_walk_are_said(stamps: Any, positions: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RootPath(stamps, positions)


def test_a_path_is_straight_between_its_points_and_nowhere_beyond() -> None:
    path = RootPath([1, 3], [[0, 0, 0.9], [2, -1, 1.0]])
    np.testing.assert_allclose(path.at([1, 2, 3]), [[0, 0, 0.9], [1, -0.5, 0.95], [2, -1, 1.0]])
    assert np.isnan(path.at([0.9, 3.1])).all()


def test_keyframes_bind_what_is_seen() -> None:
    features = np.zeros((1, LAYOUT.size))
    features[:, LAYOUT["heading"]] = 1, 0
    features[:, LAYOUT["rotations"]] = np.tile((1, 0, 0, 0, 1, 0), 22)
    pose = clip_of(features).frame(0)
    assert Keyframe(1.0, pose).joint_mask.all()
    only_wrist = np.arange(22) == 20
    assert np.array_equal(Keyframe(0, pose, only_wrist).joint_mask, only_wrist)
    with pytest.raises(ValueError, match="keyframe at 2 s binds no joint"):
        Keyframe(2, pose, np.zeros(22, bool))
    with pytest.raises(ValueError, match=r"joint_mask is float64 \(21,\)"):
        Keyframe(2, pose, np.ones(21))
    with pytest.raises(ValueError, match="lies before the motion"):
        Keyframe(-0.1, pose)
    with pytest.raises(ValueError, match="keyframe goes to 9 s, the motion to 6 s"):
        MotionCondition("a squat", seconds=6, keyframes=(Keyframe(9, pose),))
