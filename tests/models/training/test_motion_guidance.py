"""Which guidance weights are chosen of those tried, and what the card says of it."""

from pathlib import Path

import pytest
import yaml

pytest.importorskip("torch", reason="torch is installed by the first command that trains")

from fitmotion_models.training.motion_guidance import GuidanceChoice, best_text, least_score, write_guidance


def tried_text(weight: float, retrieved: float, jerk: float = 1.0) -> dict[str, float]:
    return {"text_guidance": weight, "r_precision": retrieved, "jerk_over_mocap": jerk}


def tried_score(weight: float, lstm: float, second: float, jerk: float = 1.0) -> dict[str, float]:
    return {"score_guidance": weight, "accuracy_lstm": lstm, "accuracy_second": second, "jerk_over_mocap": jerk}


def test_words_count_as_much_as_is_found_best_and_moves_smoothly() -> None:
    assert best_text([tried_text(1.0, 0.7), tried_text(1.5, 0.8), tried_text(2.0, 0.75)]) == 1.5
    assert best_text([tried_text(1.0, 0.801), tried_text(1.5, 0.804)]) == 1.0  # no better: the smaller
    assert best_text([tried_text(1.0, 0.7), tried_text(1.5, 0.8, jerk=1.4)]) == 1.0
    assert best_text([tried_text(1.0, 0.7, jerk=2.0), tried_text(1.5, 0.8, jerk=2.0)]) == 1.0


def test_the_score_counts_as_little_as_finds_the_grades_as_often_as_in_recordings() -> None:
    tried = [tried_text(1.0, 0.9), tried_score(1.0, 0.4, 0.4), tried_score(2.0, 0.6, 0.64), tried_score(3.0, 0.9, 0.9)]
    assert least_score(tried, {"lstm": 0.5, "second": 0.64}) == 2.0
    assert least_score(tried, {"lstm": 0.5, "second": 0.65}) == 3.0  # one judge is not convinced
    assert least_score(tried, {"lstm": 0.95, "second": 0.5}) == 3.0  # nothing reaches it: the best
    shaking = [tried_score(1.0, 0.4, 0.4), tried_score(2.0, 0.9, 0.9, jerk=1.4)]
    assert least_score(shaking, {"lstm": 0.6, "second": 0.6}) == 1.0


def test_the_card_says_what_was_chosen_and_why(tmp_path: Path) -> None:
    card = tmp_path / "x.yaml"
    card.write_text("name: x\ndefaults: {text_guidance: 2.0, score_guidance: 2.0, conditioning: token}\n")
    write_guidance(card, GuidanceChoice(1.5, 3.0, [tried_score(3.0, 0.71234, 0.9)], {"lstm": 0.6}))
    said = yaml.safe_load(card.read_text())
    assert said["defaults"] == {"text_guidance": 1.5, "score_guidance": 3.0, "conditioning": "token"}
    assert said["guidance"]["tried"][0]["accuracy_lstm"] == 0.712 and said["name"] == "x"
    assert list(tmp_path.iterdir()) == [card]
