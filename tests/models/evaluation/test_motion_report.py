"""The report on generated motion: figures worked out by hand, and all of it on a generator whose motion is known."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.datasets.motion_set import CLIPS, MotionRow, content_hash, read_motion_set, write_manifest
from fitmotion_models.evaluation.fms_judges import JudgedMotion, RulesJudge, confusion, consistency, judged_right
from fitmotion_models.evaluation.motion_grades_report import collapse_figures, side_figures
from fitmotion_models.evaluation.motion_report import MODELS, EvaluationSizes, MotionEvaluation
from fitmotion_models.evaluation.motion_report_text import as_text
from fitmotion_models.evaluation.motion_requests import (
    Model,
    Request,
    as_recorded,
    graded_requests,
    held_out_requests,
    spread,
)
from fitmotion_models.mover import SquatParameters, squat_clip
from fitmotion_models.mover.hurdle_parameters import HurdleStepParameters
from fitmotion_models.mover.hurdle_step import hurdle_step_clip
from fitmotion_models.skeleton.clip_file import save_clip

DEPTHS = {1: 0.25, 2: 0.10, 3: -0.05}  # of the squats here, hip over knee: the grade is how deep they go
PERSONS = {"generator": ("uiprmd:s01", "uiprmd:s02"), "judge": ("uiprmd:s06", "uiprmd:s07")}


@cache
def squat(depth: float) -> Any:
    return squat_clip(SquatParameters(repetitions=1, depth_m=depth, stance_s=0.3, pause_s=0.3), fps=20.0)


def depth_of(clip: Any) -> float:
    height = clip.positions[:, 0, 2]
    return float(height.max() - height.min())


class DepthJudge:
    """Reads the grade off how deep the pelvis goes."""

    def __call__(self, motions: Any) -> Any:
        found = [depth_of(motion.clip) for motion in motions]
        seen = {score: depth_of(squat(depth)) for score, depth in DEPTHS.items()}
        return np.array([min(seen, key=lambda one: abs(seen[one] - depth)) for depth in found])


class KnownGenerator:
    """Makes the squat of the score that it is told; told none, one of grade 2."""

    sampler = SimpleNamespace(card=SimpleNamespace(name="known"))

    def __call__(self, condition: Any) -> Any:
        return SimpleNamespace(clip=squat(DEPTHS[condition.score or 2]))


class HeightEvaluator:
    """Embeds a motion by the heights of its pelvis, and any text as nothing."""

    name, comparable = "heights", False

    def motions(self, features: Any) -> Any:
        return np.array([[one[:, 3].min(), one[:, 3].mean(), one[:, 3].std()] for one in features])

    def texts(self, texts: Any) -> Any:
        return np.zeros((len(texts), 3))


def rotate(clip: Any, degrees: float) -> Any:
    """The clip turned about the vertical."""
    turn = Rotation.from_euler("z", degrees, degrees=True)
    rotations = clip.rotations.copy()
    rotations[:, 0] = (turn * Rotation.from_quat(rotations[:, 0])).as_quat()
    positions, feet = (turn.apply(one.reshape(-1, 3)).reshape(one.shape) for one in (clip.positions, clip.feet))
    return replace(clip, positions=positions, feet=feet, rotations=rotations)


def row(person: str, number: int, score: int, folder: Path) -> MotionRow:
    clip = squat(DEPTHS[score] + 0.01 * number)
    name = f"{person.replace(':', '_')}_{score}_{number}"
    save_clip(folder / CLIPS / f"{name}.npz", clip)
    return MotionRow(
        id=name, file=f"{CLIPS}/{name}.npz", frames=len(clip), seconds=len(clip) / 20.0,
        source="hdm05" if number else "uiprmd", person=person, licence="PDDL", non_commercial=False,
        action="deep_squat", style=None, side=None, score=score, correct=score == 3, severity=float(3 - score),
        texts=("a person squats",), held_out_texts=("down and up",), mirrored=False, speed=1.0, made_from=None,
        hash=content_hash(clip),
    )  # fmt: skip


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[MotionRow]:
    folder = tmp_path_factory.mktemp("set")
    (folder / CLIPS).mkdir()
    people = [person for group in PERSONS.values() for person in group]
    write_manifest(
        folder, [row(person, number, score, folder) for person in people for score in DEPTHS for number in (0, 1)]
    )
    return read_motion_set(folder)


def motion(score: int, clip: Any = None, **more: Any) -> JudgedMotion:
    given = {"action": "deep_squat", "side": None, "group": "a", "frames": np.zeros((1, 1), np.float32)} | more
    return JudgedMotion(clip=clip, score=score, **given)


def test_accuracy_is_the_mean_over_grades_and_confusion_counts_pairs() -> None:
    wanted, judged = np.array([3, 3, 3, 3, 2, 2, 1]), np.array([3, 3, 3, 1, 2, 1, 3])
    assert judged_right(judged, wanted) == pytest.approx((3 / 4 + 1 / 2 + 0 / 1) / 3)
    assert confusion(judged, wanted) == [[0, 0, 1], [1, 1, 0], [1, 0, 3]]
    always_three = np.full(60, 3)  # chance, whatever is preferred and however many of each grade there are
    assert judged_right(always_three, np.repeat([1, 2, 3], (5, 15, 40))) == pytest.approx(1 / 3)


def test_an_interval_comes_from_drawing_whole_persons() -> None:
    motions = [motion(score, group=person) for person in "abcd" for score in (1, 2, 3) for _ in range(5)]
    right = np.array([one.group in "abc" for one in motions])

    def judge(given: Any) -> Any:
        return np.array([one.score if good else one.score % 3 + 1 for one, good in zip(given, right, strict=True)])

    found = consistency(judge, motions, np.random.default_rng(0))
    assert found["accuracy"] == pytest.approx(0.75) and found["groups"] == 4
    # four persons of whom one is judged wrongly: a draw has 0 to 4 of that one; binomial(4, 1/4) says how often
    assert found["ci95"] == [pytest.approx(0.25), pytest.approx(1.0)]
    with pytest.raises(ValueError, match="no motions"):
        consistency(judge, [], np.random.default_rng(0))


def test_rules_judge_by_their_own_severity() -> None:
    judge = RulesJudge({"deep_squat": 10.0})
    clean, crooked = squat_clip(SquatParameters(repetitions=1), fps=20.0), squat(0.3)
    assert judge([motion(3, clean)]).tolist() == [3]
    assert judge([motion(1, crooked)])[0] < 3
    assert RulesJudge({"deep_squat": 0.0})([motion(1, crooked)]).tolist() == [1]
    assert RulesJudge({"deep_squat": 1e9})([motion(1, crooked)]).tolist() == [2]


def test_requests_are_for_texts_lengths_and_grades_in_equal_shares(rows: list[MotionRow]) -> None:
    requests = graded_requests(rows, 4, np.random.default_rng(0))
    assert [sum(one.score == score for one in requests) for score in (1, 2, 3)] == [4, 4, 4]
    assert {one.text for one in requests} == {"a person squats"}
    two = [replace(one, texts=("a person squats", "someone squats")) for one in rows]
    texts = [one.text for one in graded_requests(two, 4, np.random.default_rng(0))]
    assert texts.count("a person squats") == texts.count("someone squats") == 6
    again = graded_requests(rows, 4, np.random.default_rng(0))
    assert requests == again and len({one.seed for one in requests}) == len(requests)
    assert {one.text for one in held_out_requests(rows, np.random.default_rng(0))} == {"down and up"}
    chosen = spread(rows, 6, np.random.default_rng(0))
    assert len(chosen) == 6 and len({(one.person, one.score) for one in chosen}) == 6  # everybody before anybody twice
    mirrored = replace(rows[0], mirrored=True, made_from=rows[0].id)
    assert as_recorded([mirrored, rows[1]]) == [rows[1]]


def test_a_body_that_does_the_other_side_is_counted() -> None:
    clip = squat(0.3)
    forward = clip.positions.copy()
    forward[:, 7, 0] += 0.5  # the left ankle in front
    motions = [
        motion(3, replace(clip, positions=forward), action="inline_lunge", side=side) for side in ("left", "right")
    ]
    found = side_figures(motions)
    assert found["inline_lunge, left"] == {"count": 1, "swapped": 0, "undecided": 0}
    assert found["inline_lunge, right"] == {"count": 1, "swapped": 1, "undecided": 0}
    back = rotate(replace(clip, positions=forward), 180.0)  # whoever faces the other way has the same leg in front
    assert side_figures([motion(3, back, action="inline_lunge", side="left")])["inline_lunge, left"]["swapped"] == 0


def test_a_step_in_which_no_foot_leaves_the_floor_is_on_no_side() -> None:
    step = hurdle_step_clip(HurdleStepParameters(side="left"), fps=20.0)
    still = replace(step, positions=step.positions[:1].repeat(len(step), 0), feet=step.feet[:1].repeat(len(step), 0))
    motions = [motion(1, clip, action="hurdle_step", side="left") for clip in (step, still)]
    assert side_figures(motions)["hurdle_step, left"] == {"count": 2, "swapped": 0, "undecided": 1}
    other = side_figures([motion(1, step, action="hurdle_step", side="right")])["hurdle_step, right"]
    assert other == {"count": 1, "swapped": 1, "undecided": 0}


@pytest.mark.slow
def test_all_of_it_says_what_is_known_of_a_perfect_and_of_an_untold_generator(rows: list[MotionRow]) -> None:
    models = {name: Model(KnownGenerator(), scored=name != "base") for name in MODELS}  # type: ignore[arg-type]

    def read(chosen: Any, progress: Any) -> list[JudgedMotion]:
        return [motion(one.score, one.load(), group=one.person) for one in chosen]

    evaluation = MotionEvaluation(
        rows=rows,
        fold="first",
        models=models,
        judges={"lstm": DepthJudge(), "second": DepthJudge()},
        development={"second": DepthJudge()},
        learn=lambda motions: DepthJudge(),
        read=read,
        frames=lambda clip: np.zeros((1, 1), np.float32),
        evaluator=HeightEvaluator(),
        sizes=EvaluationSizes(per_grade=3, per_label=6, repetitions=2, bootstraps=5),
    )
    found = evaluation.run(Bars)
    consistent = found["fms_consistency"]
    assert list(consistent) == ["ceiling", "chance", "real", *MODELS]
    assert consistent["real"]["lstm"]["accuracy"] == consistent["direct"]["lstm"]["accuracy"] == 1.0
    assert consistent["direct"]["lstm"]["of_ceiling"] == 1.0
    assert consistent["base"]["second"]["accuracy"] == pytest.approx(1 / 3)
    assert consistent["base"]["second"]["confusion"] == [[0, 3, 0]] * 3
    assert consistent["numerical"]["lstm_trained_on_generated"]["trained_on"] == "this model's motions"
    development = found["fms_consistency_in_development"]
    assert development["ceiling"]["second"]["accuracy"] == development["direct"]["second"]["accuracy"] == 1.0
    assert found["gait"]["direct"]["limp"]["clips"] == 0  # a squat has no steps to compare
    kids = found["within_grades"]["direct"]["1"]["kid_to_grades"]
    assert kids["1"] < min(kids["2"], kids["3"])
    assert found["motion"]["direct"]["physical_against_mocap"]["jerk_m_s3"]["real"]["value"] > 0.0
    json.dumps(found, allow_nan=False)
    text = as_text(found)
    assert "base" in text and "chance" in text and "[[0, 3, 0], [0, 3, 0], [0, 3, 0]]" in text
    assert Bars.labels[0] == "recordings"


class Bars:
    """A bar that keeps what it was called and shows nothing."""

    labels: ClassVar[list[str]] = []

    def __init__(self, label: str) -> None:
        self.labels.append(label)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: Any) -> None:
        return None


@pytest.mark.slow
def test_collapsed_motion_shows_as_no_diversity(rows: list[MotionRow]) -> None:
    real = [motion(one.score or 0, one.load()) for one in rows]
    same = [motion(score, squat(DEPTHS[score])) for score in DEPTHS for _ in range(4)]
    found = collapse_figures(same, real, HeightEvaluator(), np.random.default_rng(0))
    assert all(one["diversity_over_real"] == pytest.approx(0.0, abs=1e-6) for one in found.values())
    assert Request("a", "deep_squat", None, "deep_squat", 1, 1.0, 0).score == 1


@pytest.mark.slow
def test_strips_and_a_blind_sheet_show_everything_and_the_key_knows(rows: list[MotionRow], tmp_path: Path) -> None:
    from fitmotion_models.viewer.motion_sheets import KEY, write_blind_sheet, write_strips

    model = Model(KnownGenerator())  # type: ignore[arg-type]
    (strips,) = write_strips(tmp_path / "strips", rows, model)
    assert strips.name == "deep_squat.png"
    pages = write_blind_sheet(tmp_path / "sheet", rows, model, 8)
    assert [one.name for one in pages] == ["sheet-1.png", "sheet-2.png", KEY]
    lines = (tmp_path / "sheet" / KEY).read_text().splitlines()
    assert lines[0].startswith("number,page,what") and len(lines) == 9
    assert sum("generated" in line for line in lines) == 4 == sum("recorded" in line for line in lines)
