"""Which guidance weights are chosen of those tried, and what the card says of it."""

from pathlib import Path

import pytest
import yaml

pytest.importorskip("torch", reason="torch is installed by the first command that trains")

from fitmotion_models.motion.condition import Conditioning
from fitmotion_models.motion.sampler import read_card
from fitmotion_models.training.motion_guidance import GuidanceChoice, best_score, best_text, write_guidance


def tried_text(weight: float, retrieved: float, jerk: float = 1.0) -> dict[str, float]:
    return {"text_guidance": weight, "r_precision": retrieved, "jerk_over_mocap": jerk}


def tried_score(
    weight: float, lstm: float, second: float, jerk: float = 1.0, diversity: float = 1.0
) -> dict[str, float]:
    found = {"accuracy_lstm": lstm, "accuracy_second": second}
    return {
        "score_guidance": weight,
        "motions": 100,
        **found,
        "diversity_over_real": diversity,
        "jerk_over_mocap": jerk,
    }


def test_words_count_as_much_as_is_found_best_and_moves_smoothly() -> None:
    assert best_text([tried_text(1.0, 0.7), tried_text(1.5, 0.8), tried_text(2.0, 0.75)]) == 1.5
    assert best_text([tried_text(1.0, 0.801), tried_text(1.5, 0.804)]) == 1.0  # no better: the smaller
    assert best_text([tried_text(1.0, 0.7), tried_text(1.5, 0.8, jerk=1.4)]) == 1.0
    assert best_text([tried_text(1.0, 0.7, jerk=2.0), tried_text(1.5, 0.8, jerk=2.0)]) == 1.0


def test_the_score_counts_as_much_as_judges_find_best_in_motion_that_is_no_more_varied_than_recordings() -> None:
    judges = ("lstm", "second")
    tried = [tried_score(1.0, 0.4, 0.4), tried_score(2.0, 0.6, 0.64), tried_score(3.0, 0.9, 0.9, diversity=1.05)]
    assert best_score(tried, judges) == 3.0
    assert best_score([*tried, tried_score(4.0, 0.92, 0.92)], judges) == 3.0  # within .027: the smaller
    assert best_score([*tried, tried_score(4.0, 0.94, 0.94)], judges) == 4.0
    assert best_score([*tried, tried_score(4.0, 1.0, 1.0, diversity=1.5)], judges) == 3.0
    assert best_score([tried[0], tried_score(2.0, 0.9, 0.9, jerk=1.4)], judges) == 1.0
    thrown_about = [tried_score(1.0, 0.9, 0.9, diversity=3.0), tried_score(2.0, 0.6, 0.6, diversity=2.0)]
    assert best_score(thrown_about, judges) == 2.0


def test_the_card_says_what_was_chosen_and_why(tmp_path: Path) -> None:
    card = tmp_path / "x.yaml"
    card.write_text(
        "name: x\nencoder: minilm\ndefaults: {text_guidance: 2.0, score_guidance: 2.0, conditioning: token}\n"
    )
    tried = [{"conditioning": "token", **tried_score(3.0, 0.71234, 0.9)}]
    choice = GuidanceChoice(1.5, {"numerical": 1.0, "token": 3.0, "textual": 2.0}, tried, {"lstm": 0.6})
    write_guidance(card, choice)
    said = yaml.safe_load(card.read_text())
    weights = {"text_guidance": 1.5, "score_guidance": 3.0}
    in_words = {"score_guidance_numerical": 1.0, "score_guidance_textual": 2.0}
    assert said["defaults"] == weights | in_words | {"conditioning": "token"}
    read = read_card(tmp_path / "x.onnx", {}, 384)
    ways = (Conditioning.NUMERICAL, Conditioning.TEXTUAL, Conditioning.TOKEN)
    assert [read.score_weight(way) for way in ways] == [1.0, 2.0, 3.0]
    assert said["guidance"]["tried"][0]["accuracy_lstm"] == 0.712 and said["name"] == "x"
    assert list(tmp_path.iterdir()) == [card]
