"""The body of the page: rods and balls stand where the pose says, red where a criterion fails."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from fitmotion_models.fms import score_clip
from fitmotion_models.fms.scorer import Scorer
from fitmotion_models.mover import make_mover
from fitmotion_models.viewer.figure import BONES, MEASURED_LINES, body_points, measured_lines
from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.scene import VIEWS, BodyFigure, view_from

CLIP = make_mover("squat_heels_up", fps=20.0)


class FakeScene:
    """Keeps what a viser scene would have been told."""

    def __init__(self) -> None:
        self.nodes: dict[str, SimpleNamespace] = {}

    def _add(self, name: str, **values) -> SimpleNamespace:
        self.nodes[name] = SimpleNamespace(**values)
        return self.nodes[name]

    def add_frame(self, name: str, **values) -> SimpleNamespace:
        return self._add(name, **values)

    def add_batched_meshes_simple(self, name: str, vertices, faces, wxyzs, positions, **values) -> SimpleNamespace:
        assert faces.max() == len(vertices) - 1
        return self._add(name, vertices=vertices, batched_wxyzs=wxyzs, batched_positions=positions, **values)

    def add_label(self, name: str, text: str, **values) -> SimpleNamespace:
        return self._add(name, text=text, **values)


@pytest.fixture
def shown():
    """Draws a pose in the state after so many frames; gives the nodes."""

    def show(pose, test: LiveTest | None = None) -> dict[str, SimpleNamespace]:
        scene = FakeScene()
        BodyFigure(scene, "anna").show(pose, test or LiveTest())
        return {name.removeprefix("/people/anna/"): node for name, node in scene.nodes.items()}

    return show


def drawn_ends(node) -> np.ndarray:
    """(N, 2, 3) ends of the rods as a browser would place them."""
    ends = np.array([[0.0, 0.0, -0.5], [0.0, 0.0, 0.5]]) * node.batched_scales[:, None]
    turns = Rotation.from_quat(node.batched_wxyzs[:, [1, 2, 3, 0]])
    return np.stack([turns.apply(ends[:, k]) for k in (0, 1)], axis=1) + node.batched_positions[:, None]


def test_bones_end_at_their_joints(shown) -> None:
    pose = CLIP.frame(len(CLIP) // 3)
    nodes = shown(pose)
    points, _ = body_points(pose)
    np.testing.assert_allclose(drawn_ends(nodes["bones"]), points[np.array(BONES)], atol=2e-6)
    np.testing.assert_allclose(nodes["joints"].batched_positions, points, atol=1e-6)
    head = nodes["head"].batched_positions[0]
    assert np.linalg.norm(head - points[15]) == pytest.approx(0.09, abs=1e-6)
    assert np.dot(head - points[15], points[15] - points[12]) > 0


def test_unseen_joints_are_not_drawn_and_nothing_is_nan(shown) -> None:
    pose = CLIP.frame(0)
    positions, confidence = pose.positions.copy(), pose.confidence.copy()
    positions[[5, 15]], confidence[[5, 15]] = np.nan, 0.0
    nodes = shown(replace(pose, positions=positions, confidence=confidence))
    gone = [5 in bone or 15 in bone for bone in BONES]
    assert (nodes["bones"].batched_scales[gone] == 0).all()
    assert (nodes["bones"].batched_scales[~np.array(gone)] > 0).all()
    assert (nodes["joints"].batched_scales[5] == 0).all() and (nodes["head"].batched_scales == 0).all()
    for node in nodes.values():
        for value in vars(node).values():
            assert not isinstance(value, np.ndarray) or np.isfinite(value).all()


def test_a_guess_is_paler_than_a_seen_joint(shown) -> None:
    pose = CLIP.frame(0)
    confidence = pose.confidence.copy()
    confidence[20] = 0.2
    guessed = shown(replace(pose, confidence=confidence))["joints"].batched_colors.astype(float)
    known = shown(pose)["joints"].batched_colors.astype(float)
    assert (guessed[21] == known[21]).all()
    assert np.ptp(guessed[20]) < 0.5 * np.ptp(known[20])  # greyer


def test_the_failing_criterion_is_red_where_it_happens(shown) -> None:
    scorer, test = Scorer(), LiveTest()
    for pose in CLIP:
        update = scorer.update(pose)
        test.update(update.state)
        if update.assessment is not None:
            test.assessed(update.assessment)
            break
    faults = [one for one in score_clip(CLIP)[0].criteria if one.verdict == 1]
    assert [one.name for one in faults] == ["heels_down"]
    nodes = shown(pose, test)
    red = {line for line, scale in zip(MEASURED_LINES, nodes["faults"].batched_scales, strict=True) if scale.any()}
    assert red == set(measured_lines(faults[0].joints)) and len(red) == 2
    assert set(np.flatnonzero(nodes["fault_joints"].batched_scales.any(axis=1))) == set(faults[0].joints)
    assert nodes["fault_0"].visible and nodes["fault_0"].text.startswith("Heels down\n")
    assert not nodes["fault_1"].visible
    assert nodes["score"].visible and nodes["score"].text == "score 1"


@pytest.mark.parametrize(("view", "direction"), [("front", (1, 0)), ("left", (0, 1)), ("right", (0, -1))])
@pytest.mark.parametrize("turned", [0.0, 2.0])
def test_views_are_the_persons_own(view: str, direction: tuple[int, int], turned: float) -> None:
    pose = CLIP.frame(0)
    turn = Rotation.from_rotvec([0.0, 0.0, turned])
    moved = replace(pose, positions=turn.apply(pose.positions) + [1.0, -2.0, 0.0])
    position, look_at = view_from(moved, view)
    np.testing.assert_allclose(look_at[:2], moved.positions[0, :2], atol=1e-6)
    seen_from = turn.inv().apply(position - look_at)[:2]
    np.testing.assert_allclose(seen_from / np.linalg.norm(seen_from), direction, atol=0.03)


def test_every_view_works_with_nobody_there() -> None:
    for view in VIEWS:
        position, look_at = view_from(None, view)
        assert np.isfinite(position).all() and position[2] > look_at[2]
