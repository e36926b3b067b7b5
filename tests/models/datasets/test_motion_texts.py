"""The texts of actions: enough of them, none of them in both parts, and sides that swap as in a mirror."""

import pytest

from fitmotion_models.datasets.further_recordings import xing_action
from fitmotion_models.datasets.motion_texts import (
    known_actions,
    known_styles,
    recording_parts,
    recording_text,
    screen_descriptions,
    texts_of,
)
from fitmotion_models.fms.values import Variation
from fitmotion_models.motion.sides import named_side, swap_sides

STYLED_WALKS = ("limp", "hemiparetic", "antalgic", "short_step")
# what only a score may say
QUALITY = ("poor", "bad", "good", "perfect", "clean", "compensat", "fault", "injured", "athletic", "fit ")


def every_kind():
    for action in known_actions():
        yield action, None
        for style in known_styles():
            yield action, style
    yield from (("walk", style) for style in STYLED_WALKS)


@pytest.mark.parametrize("side", ["left", "right"])
def test_every_action_has_texts_to_train_on_and_others_kept(side):
    for action, style in every_kind():
        texts = texts_of(action, style=style, side=side)
        assert len(set(texts.train)) >= 8, (action, style)
        assert len(set(texts.held_out)) >= 3, (action, style)
        assert not set(texts.train) & set(texts.held_out), (action, style)
        assert all("{" not in text for text in (*texts.train, *texts.held_out))


def test_no_text_is_shared_by_two_actions():
    owner = {}
    for action in known_actions():
        for text in (texts := texts_of(action, side="left")).train + texts.held_out:
            assert owner.setdefault(text, action) == action, text


def test_the_fifteen_movements_of_the_screen_are_described_and_have_texts():
    described = screen_descriptions()
    assert set(described) == set(Variation) - {Variation.NONE}
    assert len(set(described.values())) == 15
    for variation, text in described.items():
        side = next((side for side in ("left", "right") if side.upper() in variation.name), None)
        assert side is None or side in text
        assert len(texts_of(xing_action(variation), side=side).train) >= 8


@pytest.mark.parametrize("action", ["deep_squat", "hurdle_step", "inline_lunge"])
def test_texts_of_graded_movements_say_nothing_of_quality(action):
    texts = texts_of(action, side="left")
    for text in texts.train + texts.held_out:
        assert not any(word in text for word in QUALITY), text


def test_a_text_that_names_sides_is_another_one_for_the_other_side():
    left, right = (texts_of("hurdle_step", side=side).train for side in ("left", "right"))
    assert tuple(map(swap_sides, left)) == right
    assert left[0] == "a person steps over a hurdle with the left leg"


def test_the_side_that_a_text_is_about_is_read_from_it():
    read = {
        text: named_side(text)
        for action, style in every_kind()
        for text in sum(texts_of(action, style=style, side="right"), ())
        if swap_sides(text) != text
    }
    wrong = [text for text, side in read.items() if side != "right"]
    assert len(wrong) <= 0.02 * len(read), wrong
    for action in ("hurdle_step", "inline_lunge"):
        for text in sum(texts_of(action, side="left"), ()):
            assert named_side(text) == "left", text


def test_what_a_set_publishes_of_a_recording():
    assert recording_text("cmu", "02_03").action == "run"
    assert recording_text("cmu", "77_01") is None
    assert recording_parts("cmu", "02_01") == ()
    for part in recording_parts("cmu", "01_11"):
        assert part.end > part.start
        assert part.action in known_actions()


def test_what_is_unknown_is_named():
    with pytest.raises(ValueError, match="action 'fly' has no texts; known: deep_squat"):
        texts_of("fly")
    with pytest.raises(ValueError, match="style 'drunk' has no texts; known: compensated"):
        texts_of("walk", style="drunk")
    with pytest.raises(ValueError, match="done on a side, got None"):
        texts_of("hurdle_step")
