"""What is told about a test while it runs, against movers whose faults are their parameters."""

from dataclasses import replace

import pytest

from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.fms.values import (
    Assessment,
    AssessmentState,
    Criterion,
    Movement,
    Phase,
    Side,
    Variation,
    Verdict,
)
from fitmotion_models.mover import make_mover
from fitmotion_models.viewer.live_test import LiveTest, fault_text

FAULTS = {
    "squat": set(),
    "squat_shallow": {"femur_below_horizontal"},
    "squat_trunk_forward": {"trunk_parallel_to_tibia"},
    "squat_knee_in_left": {"left_knee_over_foot"},
    "squat_heels_up": {"heels_down"},
    "squat_arms_fall": {"dowel_over_feet"},
}


def criterion(name: str, verdict: Verdict, value: float = 0.07) -> Criterion:
    return Criterion(name, value, 0.03, "m", verdict, (22, 23), "Keep the heels down.")


def state(stamp: float, phase: Phase, *criteria: Criterion) -> AssessmentState:
    return AssessmentState(stamp, "anna", Movement.DEEP_SQUAT, Side.BOTH, phase, 0.5, criteria)


def assessment(score: int, *criteria: Criterion, repetition: int = 1) -> Assessment:
    return Assessment(
        stamp=0.0,
        subject="anna",
        movement=Movement.DEEP_SQUAT,
        variation=Variation.DEEP_SQUAT_FLOOR,
        side=Side.BOTH,
        trial=1,
        repetition=repetition,
        score=score,
        reason="",
        confidence=1.0,
        scorer="rules",
        criteria=criteria,
        start=0.0,
        end=1.0,
    )


@pytest.mark.parametrize(("mover", "faults"), FAULTS.items())
def test_each_fault_of_a_mover_is_shown_where_it_happens_and_no_other(mover, faults) -> None:
    scorer, test = Scorer(), LiveTest()
    shown: dict[Phase, set[str]] = {phase: set() for phase in Phase}
    for pose in make_mover(mover):
        update = scorer.update(pose)
        test.update(update.state)
        if update.assessment is not None:
            test.assessed(update.assessment)
        shown[test.phase] |= {fault.name for fault in test.faults}
        assert all(fault.verdict is Verdict.NOT_MET for fault in test.faults)
    assert shown[Phase.BOTTOM] == shown[Phase.ASCENDING] == shown[Phase.STANDING] == faults
    assert shown[Phase.DESCENDING] == faults & {"heels_down"}
    assert test.repetitions == 3 and test.score == (1 if faults else 3)
    assert test.status == "3 repetitions, standing" and test.title == "Deep squat"


def test_a_single_frame_of_noise_neither_shows_nor_hides_a_fault() -> None:
    test, bad, good = LiveTest(), criterion("heels_down", Verdict.NOT_MET), criterion("heels_down", Verdict.MET, 0.01)
    verdicts = [good, bad, good, bad, bad, bad, bad, bad, good, bad, *[good] * 12]
    shown = []
    for index, one in enumerate(verdicts):
        test.update(state(index / 30, Phase.DESCENDING, one))
        shown.append(bool(test.faults))
    first = shown.index(True)
    assert 5 < first <= 7  # four frames of failing without a break
    assert all(shown[first : first + 9]) and not shown[-1]


def test_a_fault_shown_keeps_the_value_that_failed() -> None:
    test = LiveTest()
    for index in range(8):
        test.update(state(index / 30, Phase.BOTTOM, criterion("heels_down", Verdict.NOT_MET, 0.051)))
    test.update(state(8 / 30, Phase.BOTTOM, criterion("heels_down", Verdict.MET, 0.01)))
    assert [fault_text(fault) for fault in test.faults] == ["Heels down: 5.1 cm, limit 3.0 cm"]


def test_a_depth_once_reached_is_reached() -> None:
    test = LiveTest()
    shallow, deep = (criterion("femur_below_horizontal", verdict) for verdict in (Verdict.NOT_MET, Verdict.MET))
    for index in range(10):
        test.update(state(index / 30, Phase.BOTTOM, shallow))
    assert test.faults
    test.update(state(10 / 30, Phase.BOTTOM, deep))
    for index in range(11, 30):
        test.update(state(index / 30, Phase.BOTTOM if index < 20 else Phase.ASCENDING, shallow))
        assert not test.faults
    assert [one.verdict for one in test.verdicts] == [Verdict.MET]


def test_between_repetitions_the_result_stands_and_a_new_one_begins_clean() -> None:
    test = LiveTest()
    assert (test.score, test.repetitions, test.faults, test.status) == (
        None,
        0,
        (),
        "0 repetitions, stand still to begin",
    )
    failed = criterion("heels_down", Verdict.NOT_MET)
    test.update(state(0.0, Phase.STANDING, criterion("heels_down", Verdict.NOT_SEEN)))
    test.assessed(assessment(1, failed, repetition=2))
    assert test.faults == test.verdicts == (failed,)
    assert test.status == "2 repetitions, standing"
    test.update(state(0.1, Phase.DESCENDING, criterion("heels_down", Verdict.MET, 0.0)))
    assert not test.faults and test.score == 1
    test.update(state(0.2, Phase.UNKNOWN, criterion("heels_down", Verdict.NOT_SEEN)))
    assert not test.faults


def test_a_corrected_result_replaces_the_first() -> None:
    test = LiveTest()
    test.update(state(0.0, Phase.STANDING))
    test.assessed(assessment(3))
    test.assessed(replace(assessment(0), pain=True))
    assert (test.score, test.repetitions) == (0, 1)


def test_a_result_that_overtakes_its_states_waits_for_them() -> None:
    test = LiveTest()
    test.update(state(1.0, Phase.ASCENDING))
    test.assessed(replace(assessment(3), stamp=1.1))
    test.assessed(replace(assessment(2, repetition=2), stamp=4.0))
    assert test.score is None
    test.update(state(1.1, Phase.STANDING))
    assert (test.score, test.repetitions) == (3, 1)
    test.update(state(4.2, Phase.STANDING))
    assert (test.score, test.repetitions) == (2, 2)


def test_another_movement_and_a_rewound_recording_start_all_over() -> None:
    for changed in (
        replace(state(2.0, Phase.STANDING), movement=Movement.HURDLE_STEP, side=Side.LEFT),
        state(0.5, Phase.STANDING),
    ):
        test = LiveTest()
        test.update(state(1.0, Phase.STANDING))
        test.assessed(assessment(3))
        test.update(changed)
        assert (test.score, test.repetitions) == (None, 0)
    assert LiveTest().title == "Movement"
    test.update(replace(state(3.0, Phase.STANDING), movement=Movement.HURDLE_STEP, side=Side.LEFT))
    assert test.title == "Hurdle step, left"


def test_degrees_and_centimetres_are_written_as_people_do() -> None:
    lean = replace(criterion("trunk_parallel_to_tibia", Verdict.NOT_MET, 21.26), unit="deg", threshold=10.0)
    assert fault_text(lean) == "Trunk parallel to tibia: 21.3°, limit 10.0°"
