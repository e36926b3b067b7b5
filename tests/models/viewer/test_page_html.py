"""What is written on the page: values, verdicts and reasons as they are, and nothing from outside as markup."""

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from fitmotion_models.fms import score_clip
from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.fms.screen import Screen, ScreenResult
from fitmotion_models.fms.values import Movement, Side, Verdict
from fitmotion_models.mover import make_mover
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.page_html import (
    NodeLine,
    alerts_html,
    criteria_html,
    css,
    nodes_html,
    score_html,
    screen_html,
    timeline_html,
)
from fitmotion_models.viewer.timeline import Timeline
from fitmotion_models.viewer.watch import Watch

CLIP = make_mover("squat_heels_up", fps=20.0)
SHALLOW = score_clip(make_mover("squat_shallow", fps=20.0))[0]


def watched(until_assessed: int = 1) -> Watch:
    """The state of a page after so many repetitions."""
    watch, scorer, done = Watch(30.0), Scorer(), 0
    for pose in CLIP:
        update = scorer.update(pose)
        watch.hear_pose(pose)
        watch.hear_state(update.state)
        if update.assessment is not None:
            watch.hear_assessment(update.assessment)
            done += 1
            if done == until_assessed:
                break
    return watch


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_the_score_comes_with_its_reason() -> None:
    person = watched().people[CLIP.subject]
    text = text_of(score_html(CLIP.subject, person.test, seen=True))
    assert "score 1" in text and "The heels came off the floor." in text and "1 repetition" in text
    assert "– " in text_of(score_html("", LiveTest(), seen=False)) + " "
    assert "nobody in view" in text_of(score_html("", LiveTest(), seen=False))


def test_pain_and_the_operators_grade_are_said() -> None:
    test = LiveTest()
    test.assessed(replace(SHALLOW, score=0, pain=True))
    assert "Pain was reported: the score is 0." in text_of(score_html("anna", test, seen=True))
    test.assessed(replace(SHALLOW, score=2, overridden=True, override_reason="seen live"))
    text = text_of(score_html("anna", test, seen=True))
    assert "score 2" in text and "operator's own grade: seen live" in text.replace("&#x27;", "'")


def test_each_criterion_stands_against_its_limit() -> None:
    person = watched().people[CLIP.subject]
    html = criteria_html(person.test)
    rows = dict(re.findall(r'data-name="(\w+)" data-verdict="(\w+)"', html))
    assert rows.pop("heels_down") == "not_met" and set(rows.values()) == {"met"} and len(rows) == 6
    heels = next(one for one in person.test.assessment.criteria if one.name == "heels_down")
    assert f"{100 * heels.value:.1f} cm / 3.0 cm" in text_of(html)
    assert heels.advice in text_of(html)


@pytest.mark.parametrize(
    ("value", "place"), [(-9.0, 1.5), (0.02, 50.0), (0.02 - 0.075, 25.0), (0.02 + 0.0375, 62.5), (9.0, 98.5)]
)
def test_the_dot_is_right_of_the_middle_exactly_when_the_limit_is_passed(value: float, place: float) -> None:
    test = LiveTest()
    criterion = replace(SHALLOW.criteria[1], value=value, threshold=0.02, verdict=Verdict.NOT_MET)
    test.assessed(replace(SHALLOW, criteria=(criterion,)))
    got = float(re.search(r"calc\(([\d.]+)%", criteria_html(test)).group(1))
    assert got == pytest.approx(place, abs=0.06)


def test_what_was_not_measured_has_no_dot() -> None:
    test = LiveTest()
    criterion = replace(SHALLOW.criteria[1], value=math.nan, verdict=Verdict.NOT_SEEN, advice="")
    test.assessed(replace(SHALLOW, criteria=(criterion,)))
    assert "calc(" not in criteria_html(test) and "– / 2.0 cm" in text_of(criteria_html(test))


def test_nothing_from_outside_becomes_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    test, timeline = LiveTest(), Timeline(30.0)
    broken = replace(
        SHALLOW,
        reason=evil,
        overridden=True,
        override_reason=evil,
        criteria=tuple(replace(one, name=evil, advice=evil, unit=evil) for one in SHALLOW.criteria),
    )
    test.assessed(broken)
    timeline.assessed(broken)
    nothing = (-1,) * 7
    screen = ScreenResult(evil, nothing, nothing, nothing, (False,) * 7, (0, 0, 0), -1, (evil,))
    node = NodeLine(evil, evil, evil, evil, evil, evil, evil, 0.0)
    for html in (
        score_html(evil, test, seen=True),
        criteria_html(test),
        timeline_html(timeline),
        screen_html(screen),
        nodes_html([node]),
        alerts_html([node]),
    ):
        assert "<img" not in html
        ElementTree.fromstring(html)  # every element is closed


def test_the_curve_goes_down_and_up_under_its_repetition() -> None:
    timeline = watched().people[CLIP.subject].timeline
    html = timeline_html(timeline)
    svg = ElementTree.fromstring(html).find(".//svg")
    points = [tuple(map(float, pair.split(","))) for pair in svg.find("polyline").get("points").split()]
    across = [x for x, _ in points]
    assert across == sorted(across) and across[-1] == pytest.approx(400.0, abs=0.1)
    lowest = max(points, key=lambda point: point[1])
    band = svg.find("rect")
    left, width = float(band.get("x")), float(band.get("width"))
    assert left < lowest[0] < left + width
    one = timeline.last
    assert width == pytest.approx(400.0 * (one.end - one.start) / 30.0, abs=0.11)
    depths = [depth for _, depth in timeline.depths]
    assert depths[0] == depths[-1] == 0.0 and max(depths) == 1.0
    assert "✗ heels down" in text_of(html)


def test_a_new_trial_counts_anew_and_a_changed_result_replaces_its_own() -> None:
    timeline = Timeline(30.0)
    timeline.assessed(SHALLOW)
    timeline.assessed(replace(SHALLOW, repetition=2, start=SHALLOW.start + 4.0, end=SHALLOW.end + 4.0))
    timeline.assessed(replace(SHALLOW, score=0, pain=True))
    assert [one.score for one in timeline.repetitions] == [0, 1]
    timeline.assessed(replace(SHALLOW, trial=2))
    assert len(timeline.repetitions) == 1


def test_only_the_last_seconds_are_kept() -> None:
    timeline, scorer = Timeline(2.0), Scorer()
    for pose in CLIP:
        timeline.update(scorer.update(pose).state)
    stamps = [stamp for stamp, _ in timeline.depths]
    assert stamps[-1] == CLIP.stamps[-1] and stamps[-1] - stamps[0] == pytest.approx(2.0, abs=0.06)
    timeline.update(Scorer().update(CLIP.frame(0)).state)  # the recording starts again
    assert len(timeline.depths) == 1


def test_the_screen_shows_what_counts() -> None:
    screen = Screen("anna")
    screen.add(SHALLOW)
    screen.set_score(Movement.HURDLE_STEP, Side.LEFT, 2, "seen live")
    text = text_of(screen_html(screen.result()))
    assert "Deep squat 1" in text and "left 2, right –" in text and "incomplete" in text and "seen live" in text
    assert "No test" in screen_html(None)


def test_a_node_in_trouble_is_told_in_red_and_where_it_is_always_seen() -> None:
    good = NodeLine("fms", "30.0", "12", "19", "0", "rules", "", 0.4)
    silent, warns = replace(good, name="pose", age=7.2), replace(good, name="camera", warning="lost the camera")
    html = nodes_html([good, silent, warns])
    text = text_of(html)
    assert "● fms 30.0 12 19 0 rules" in text and "● pose 30.0 12 19 0 silent for 7 s" in text
    assert html.count(f"color:{css(palette.FAULT)}") == 4  # a dot and the words, twice
    assert text_of(alerts_html([good, silent, warns])) == "pose: silent for 7 s camera: lost the camera"
    assert alerts_html([good]) == ""


def test_nobody_is_shown_after_the_last_pose_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    from fitmotion_models.viewer import watch as module

    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    watch = watched()
    assert watch.shown == CLIP.subject and watch.in_view(watch.people[CLIP.subject])
    now += 2.0
    assert not watch.in_view(watch.people[CLIP.subject])
    watch.hear_pose(replace(CLIP.frame(0), subject="bert"))
    assert watch.shown == "bert"  # who is in view
    watch.chosen = CLIP.subject
    assert watch.shown == CLIP.subject
    watch.begin_trial("")
    assert watch.people[CLIP.subject].test.repetitions == 0 and not watch.people[CLIP.subject].timeline.repetitions
