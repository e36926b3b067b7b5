"""Left and right in sentences: what the mirror image says, and which side a sentence is about."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fitmotion_models.motion.sides import OTHER_SIDE, named_side, swap_sides

SENTENCES = yaml.safe_load(Path(__file__).with_name("sentences_of_both_sides.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("Left foot, then right foot", "Right foot, then left foot"),
        ("turns clockwise, then counter-clockwise", "turns counterclockwise, then clockwise"),
        ("a left-handed throw to the RIGHT", "a right-handed throw to the LEFT"),
        ("walks leftward along the rightmost line", "walks rightward along the leftmost line"),
        ("left_hip and right_toe", "right_hip and left_toe"),
        (
            "right down, elbows right-angled, knees at a right angle",
            "right down, elbows right-angled, knees at a right angle",
        ),
        ("stands upright in a bright room, then leaves", "stands upright in a bright room, then leaves"),
    ],
)
def test_sides_swap_as_in_a_mirror(text, mirrored):
    assert swap_sides(text) == mirrored


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("a person squats", None),
        ("stands upright in a bright room", None),
        ("squats right down and stands up", None),
        ("a hurdle step with the LEFT leg", "left"),
        ("walks in a circle, clockwise", "right"),
        ("turns anticlockwise", "left"),
        ("balances on the right foot and lifts the left knee over a bar", "left"),
        ("lowers the right knee to the floor behind the left heel", "left"),
        ("a lunge with the right foot in front of the left", "right"),
        ("left elbow to right knee", "left"),
        ("left foot, right foot, left foot, right foot", "left"),
    ],
)
def test_the_side_is_the_one_that_a_sentence_is_about(text, side):
    assert named_side(text) == side


WORDS = ("left", "right", "leg", "foot", "knee", "behind", "stands", "on", "lifts", "the", ",", "over", "arm", "and")


@given(st.lists(st.sampled_from(WORDS)))
def test_the_mirror_image_is_about_the_other_side(words):
    text = " ".join(words)
    side = named_side(text)
    assert named_side(swap_sides(text)) == (None if side is None else OTHER_SIDE[side])
    assert swap_sides(swap_sides(text)) == text


def test_sentences_that_name_both_sides_and_were_written_without_a_look_at_the_rules():
    wrong, count = [], 0
    for sentences in SENTENCES.values():
        for sentence in sentences:
            count += 1
            text = sentence.format(side="right", other="left")
            if named_side(text) != "right":
                wrong.append(text)
    print(f"{count - len(wrong)} of {count} read as they are meant; not {wrong}")
    assert len(wrong) <= 0.2 * count
