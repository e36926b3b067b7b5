"""Generated bodies beside the watched one: shown as what they do, never taken for somebody who is scored."""

import time
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from fitmotion_models.mover import make_mover
from fitmotion_models.skeleton.body_pose import Source
from fitmotion_models.viewer import palette
from fitmotion_models.viewer import watch as watching
from fitmotion_models.viewer.generation import Generation, generation_html
from fitmotion_models.viewer.markers import ScoreBoard
from fitmotion_models.viewer.watch import GENERATED_KEPT, Watch

POSE = replace(make_mover("squat", fps=20.0).frame(0), subject="generated", source=Source.GENERATED)


def test_a_generated_body_is_nobody_who_is_scored_and_goes_when_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(30.0)
    watch.hear_generated(POSE)
    assert watch.generated == {"generated": POSE} and not watch.people and watch.shown == ""
    now = time.monotonic()
    monkeypatch.setattr(watching.time, "monotonic", lambda: now + 2.0)
    assert watch.generated == {}


def test_bodies_of_ever_new_names_are_forgotten() -> None:
    watch = Watch(30.0)
    for number in range(GENERATED_KEPT + 3):
        watch.hear_generated(replace(POSE, subject=f"generated_{number}"))
    assert list(watch.generated) == [f"generated_{number}" for number in range(3, GENERATED_KEPT + 3)]


def test_what_it_does_is_written_and_nothing_from_outside_is_markup() -> None:
    told = Generation({"generated": ('squats <b>"now"</b> & on', "1"), "generated_2": ("", "")}, "CPU", ("9.5", "14.1"))
    page = ElementTree.fromstring(generation_html(told))
    assert page.find(".//b") is None and 'squats <b>"now"</b> & on' in "".join(page.itertext())
    bodies = [one.attrib for one in page.iter("div") if one.get("class") == "fm-generated"]
    assert [(one["data-subject"], one["data-score"]) for one in bodies] == [("generated", "1"), ("generated_2", "")]
    assert "stands" in "".join(page.itertext()) and "9.5 ms a chunk (p95 14.1)" in "".join(page.itertext())
    assert "has not reported" in generation_html(None)


def test_words_stand_over_the_head_in_the_colour_of_their_score() -> None:
    board = ScoreBoard()
    (mark,) = board.words(POSE, "generated: 1", 1)
    assert mark.text == "generated: 1" and mark.colour[:3] == palette.score_colour(1)
    assert mark.points[0, 2] > POSE.positions[:, 2].max() and mark.namespace == "generated/score"
    assert board.words(POSE, "") == []
