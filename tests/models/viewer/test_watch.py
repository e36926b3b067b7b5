"""What a page remembers of whom, when more come than anybody could look at."""

from dataclasses import replace

import pytest

from fitmotion_models.fms.scorer import score_clip
from fitmotion_models.mover import make_mover
from fitmotion_models.viewer import watch as watching
from fitmotion_models.viewer.page_html import NodeLine
from fitmotion_models.viewer.watch import NODES_KEPT, PEOPLE_KEPT, Watch

POSE = make_mover("squat", fps=5.0).frame(0)


def test_who_is_in_view_stays_and_one_more_is_refused() -> None:
    watch = Watch(30.0)
    for number in range(PEOPLE_KEPT):
        watch.hear_pose(replace(POSE, subject=f"person_{number}"))
    with pytest.raises(ValueError, match="20 people are in view"):
        watch.hear_pose(replace(POSE, subject="one_more"))
    assert list(watch.people) == [f"person_{number}" for number in range(PEOPLE_KEPT)]


def test_who_has_left_makes_room_and_those_with_a_score_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(30.0)
    now = [100.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    result = score_clip(make_mover("squat", fps=30.0))[0]
    watch.hear_pose(replace(POSE, subject="anna"))
    watch.hear_assessment(replace(result, subject="anna"))
    for number in range(1000):
        now[0] += 0.2
        watch.hear_pose(replace(POSE, subject=f"stranger_{number}"))
    assert len(watch.people) == PEOPLE_KEPT and watch.people["anna"].test.score == result.score


def test_nodes_of_ever_new_names_are_forgotten() -> None:
    watch = Watch(30.0)
    names = [f"node_{number}" for number in range(NODES_KEPT + 50)]
    fields = {name: "" for name in NodeLine.__dataclass_fields__} | {"age": 0.0}
    for name in names:
        watch.hear_node(NodeLine(**(fields | {"name": name})))
    assert sorted(line.name for line in watch.nodes) == sorted(names[-NODES_KEPT:])
