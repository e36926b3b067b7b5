"""Judges: what is learned, kept on disk and made again, on sequences whose grades are known."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitmotion_models.datasets.motion_set import MotionRow
from fitmotion_models.evaluation.fms_judges import JudgedMotion

pytestmark = pytest.mark.slow
pytest.importorskip("torch", reason="torch comes with the first training: `./fitmotion test` installs it")


def motions(count: int, seed: int) -> list[JudgedMotion]:
    """Noise in which the grade is how large some columns grow; twice as many of grade 3 as of the others."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        score = (1, 2, 3, 3)[number % 4]
        frames = rng.normal(0.0, 1.0, (16, 360)).astype(np.float32)
        frames[:, :60] += np.linspace(0.0, 2.0 * (score - 2), 16)[:, None]
        found.append(JudgedMotion(None, "deep_squat", None, score, f"p{number % 3}", frames))  # type: ignore[arg-type]
    return found


def row(name: str, person: str, score: int) -> MotionRow:
    return MotionRow(
        id=name, file=f"clips/{name}.npz", frames=10, seconds=0.5, source="uiprmd", person=person, licence="PDDL",
        non_commercial=False, action="deep_squat", style=None, side=None, score=score, correct=score == 3, severity=1.0,
        texts=("a person squats",), held_out_texts=(), mirrored=False, speed=1.0, made_from=None, hash=name,
    )  # fmt: skip


@pytest.fixture(scope="module")
def judges() -> Any:
    from fitmotion_models.training import fms_judges

    return fms_judges


@pytest.mark.parametrize("name", ["lstm", "second"])
def test_a_judge_learns_what_tells_the_grades_apart_and_is_kept(name: str, judges: Any, tmp_path: Path) -> None:
    recipe = judges.JUDGES[name]
    quick = replace(recipe, seeds=1, settings=replace(recipe.settings, epochs=10, learning_rate=3e-3))
    judge = judges.train_judge(motions(160, 0), quick)
    others = motions(40, 1)
    found = judge(others)
    assert (found == [one.score for one in others]).mean() > 0.8
    kept, held = judges.load_judge(judge.save(tmp_path / "judge.pt", seed=5))
    np.testing.assert_array_equal(kept(others), found)
    assert kept.recipe == quick and held["seed"] == 5
    np.testing.assert_array_equal(judges.train_judge(motions(160, 0), quick)(others), found)  # the seed decides all


def test_the_published_settings_are_those_of_the_paper(judges: Any) -> None:
    recipe = judges.JUDGES["lstm"].settings
    assert (recipe.hidden, recipe.learning_rate, recipe.weight_decay, recipe.epochs) == (120, 5e-4, 1e-5, 64)
    assert judges.EPOCHS_ON_GENERATED == 512
    network = judges.JUDGES["lstm"].network, judges.JUDGES["second"].network
    assert len(set(network)) == 2


def test_grades_are_drawn_equally_often_where_that_is_asked_for() -> None:
    from fitmotion_models.training.scorer_lstm import _balanced

    grades = np.repeat([1, 2, 3], (4, 16, 40))
    drawn = grades[_balanced(grades, np.random.default_rng(0))]
    assert [int((drawn == one).sum()) for one in (1, 2, 3)] == [20, 20, 20]


def test_judges_are_made_from_the_judging_persons_and_only_when_something_changed(
    judges: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {
        name: replace(one, seeds=1, settings=replace(one.settings, epochs=1)) for name, one in judges.JUDGES.items()
    }
    monkeypatch.setattr(judges, "JUDGES", quick)
    read: list[list[str]] = []

    def judged(rows: Any, progress: Any = None) -> list[JudgedMotion]:
        read.append([one.id for one in rows])
        return motions(len(rows), 0)

    monkeypatch.setattr(judges, "judged_rows", judged)
    rows = [
        row(f"{person}{score}", f"uiprmd:{person}", score) for person in ("s01", "s06", "s07") for score in (1, 2, 3)
    ]
    judges.train_judges(rows, "first", tmp_path)
    assert read == [["s061", "s062", "s063", "s071", "s072", "s073"]]  # s01 generates in this fold
    judges.train_judges(rows, "first", tmp_path)
    assert len(read) == 1
    judges.train_judges([*rows[:-1], replace(rows[-1], score=2)], "first", tmp_path)
    assert len(read) == 2
    with pytest.raises(ValueError, match="no graded repetition"):
        judges.train_judges(rows[:3], "first", tmp_path)


def test_what_is_no_judge_is_said(judges: Any, tmp_path: Path) -> None:
    (tmp_path / "judge.pt").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"judge\.pt can't be read"):
        judges.load_judge(tmp_path / "judge.pt")
    with pytest.raises(ValueError, match="no motion of grade 1"):
        judges.train_judge([one for one in motions(12, 0) if one.score > 1], judges.JUDGES["lstm"])
