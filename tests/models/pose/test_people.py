"""Two people who cross, hide each other, leave and come back keep their names; their truth is scripted."""

import numpy as np
import pytest

from fitmotion_models.pose.appearance import appearance, difference
from fitmotion_models.pose.keypoint_similarity import seen_box, similarity
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.people import CONFIRMED_AFTER, FORGOTTEN_S, PeopleTracker
from fitmotion_models.skeleton.joint_sets import JOINT_SETS

SIZE = (640, 480)
HALPE = JOINT_SETS["halpe26"]
FPS = 30.0
# a person one unit high, seen from the front: joint -> (right of the middle, down from the top)
_FRONT = {
    "nose": (0.0, 0.06), "eye": (0.03, 0.04), "ear": (0.06, 0.06), "shoulder": (0.12, 0.2), "elbow": (0.16, 0.36),
    "wrist": (0.18, 0.5), "hip": (0.08, 0.52), "knee": (0.08, 0.74), "ankle": (0.08, 0.94), "head": (0.0, 0.0),
    "neck": (0.0, 0.18), "big_toe": (0.1, 1.0), "small_toe": (0.13, 1.0), "heel": (0.07, 0.97),
}  # fmt: skip
RED, BLUE = (200, 40, 40), (40, 60, 200)


def body(x: float, height: float = 300.0, top: float = 100.0, noise: float = 0.0, seed: int = 0) -> Keypoints:
    """Somebody whose middle is at x, pixels."""
    pixels = np.zeros((26, 2), np.float32)
    for index, name in enumerate(HALPE.joints):
        side, _, rest = name.partition("_")
        paired = side in ("left", "right")
        across, down = (0.0, 0.52) if name == "hip" else _FRONT[rest if paired else name]
        sign = {"left": 1.0, "right": -1.0}.get(side, 0.0) if paired else 0.0
        pixels[index] = x + sign * across * height, top + down * height
    pixels += np.random.default_rng(seed).normal(0.0, noise, pixels.shape).astype(np.float32)
    return Keypoints("halpe26", pixels, np.full(26, 0.8, np.float32), None)


def picture(*people: tuple[Keypoints, tuple[int, int, int]]) -> np.ndarray:
    """Those who come later stand in front."""
    image = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)
    for one, colour in people:
        left, top, right, bottom = np.clip(seen_box(one).astype(int), 0, [SIZE[0], SIZE[1]] * 2)
        image[top:bottom, left:right] = colour
    return image


def run(tracker: PeopleTracker, frames: list[list[Keypoints]], start: float = 0.0, images=None) -> list[dict]:
    return [
        tracker.update(found, start + index / FPS, None if images is None else images[index])
        for index, found in enumerate(frames)
    ]


def x_of(keypoints: Keypoints) -> float:
    return float(keypoints.pixels[HALPE.index("neck"), 0])


def test_a_name_needs_three_images_and_the_nearest_is_the_first() -> None:
    tracker = PeopleTracker("anna")
    near, far = body(200, height=320), body(450, height=220)
    found = run(tracker, [[far, near]] * 5)
    assert found[: CONFIRMED_AFTER - 1] == [{}] * (CONFIRMED_AFTER - 1)
    assert list(found[-1]) == ["anna", "person_2"]
    assert found[-1]["anna"] is near and found[-1]["person_2"] is far
    # a shape that is found once is nobody
    assert list(tracker.update([near, far, body(40, height=100)], 1.0)) == ["anna", "person_2"]


@pytest.mark.parametrize("hidden", [0, 6, 10])
@pytest.mark.parametrize("noise", [0.0, 3.0])
def test_two_who_cross_keep_their_names(hidden: int, noise: float) -> None:
    """By movement alone; around the middle only the nearer one is found for some images."""
    tracker = PeopleTracker()
    run(tracker, [[body(120, 310), body(520, 290)]] * 4, start=-1.0)
    names = []
    for step in range(80):
        a, b = (
            body(120 + 5 * step, 310, noise=noise, seed=step),
            body(520 - 5 * step, 290, noise=noise, seed=900 + step),
        )
        found = [a] if abs(step - 40) < hidden / 2 else [b, a] if step % 2 else [a, b]
        names.append(tracker.update(found, -0.8 + step / FPS))
    assert names[-1]["person"].pixels == pytest.approx(a.pixels)
    assert names[-1]["person_2"].pixels == pytest.approx(b.pixels)
    assert all(
        x_of(now["person"]) == pytest.approx(120 + 5 * step, abs=9) for step, now in enumerate(names) if "person" in now
    )


def test_two_who_meet_and_turn_back_are_told_apart_by_their_clothes() -> None:
    """Movement alone would have them walk through each other."""

    def way(step: int) -> float:
        return 120 + 5 * min(step, 80 - step)

    for clothes in (True, False):
        tracker = PeopleTracker()
        for step in range(80):
            a, b = body(way(step), 300), body(640 - way(step), 296)
            hidden = abs(step - 40) < 5
            image = picture((b, BLUE), (a, RED))
            found = tracker.update([a] if hidden else [a, b], step / FPS, image if clothes else None)
        assert (found["person"] is a, found["person_2"] is b) == (clothes, clothes)


def test_who_leaves_and_comes_back_is_the_same_person() -> None:
    tracker = PeopleTracker()
    a, b = body(200, 320), body(450, 280)
    run(tracker, [[a, b]] * 10, images=[picture((a, RED), (b, BLUE))] * 10)
    gone = run(tracker, [[b]] * 60, start=1.0, images=[picture((b, BLUE))] * 60)
    assert all(list(now) == ["person_2"] for now in gone)
    back = body(80, 300)  # on the other side of the picture's middle, after two seconds
    found = run(tracker, [[back, b]] * 5, start=3.2, images=[picture((back, RED), (b, BLUE))] * 5)
    assert found[0]["person"] is back and found[0]["person_2"] is b
    # somebody else in other clothes, while the first is away, is somebody new
    run(tracker, [[b]] * 30, start=4.0, images=[picture((b, BLUE))] * 30)
    other = body(120, 300)
    found = run(tracker, [[other, b]] * 5, start=5.2, images=[picture((other, (60, 180, 60)), (b, BLUE))] * 5)
    assert list(found[-1]) == ["person_2", "person_3"] and found[-1]["person_3"] is other
    # and the first is known again beside both
    found = run(tracker, [[other, b, body(330, 310)]] * 5, start=5.6,
                images=[picture((other, (60, 180, 60)), (b, BLUE), (body(330, 310), RED))] * 5)  # fmt: skip
    assert list(found[-1]) == ["person", "person_2", "person_3"]


def test_who_is_away_for_long_is_forgotten_and_the_name_is_free() -> None:
    tracker = PeopleTracker()
    run(tracker, [[body(200)]] * 5)
    assert tracker.names == ["person"]
    assert tracker.update([], FORGOTTEN_S + 1.0) == {} and tracker.names == []
    found = run(tracker, [[body(420)]] * 4, start=FORGOTTEN_S + 2.0)
    assert list(found[-1]) == ["person"]
    tracker.reset()
    assert tracker.tracks == []


def test_nobody_walks_through_the_picture_in_an_image() -> None:
    """A jump that no person makes is another person."""
    tracker = PeopleTracker()
    run(tracker, [[body(100)]] * 5)
    found = run(tracker, [[body(560)]] * 4, start=5 / FPS)
    assert list(found[0]) == [] and list(found[-1]) == ["person_2"]


def test_a_squat_is_no_other_person() -> None:
    """The box of somebody who squats shrinks by nearly a half within a second."""
    tracker = PeopleTracker()
    for step in range(90):
        depth = 0.45 * (1 - np.cos(2 * np.pi * step / 45)) / 2
        height = 320 * (1 - depth)
        found = tracker.update([body(300, height, top=420 - height)], step / FPS)
    assert list(found) == ["person"] and len(tracker.tracks) == 1


def test_similarity_is_cocos() -> None:
    one = body(300)
    assert similarity(one, one) == pytest.approx(1.0)
    box = seen_box(one)
    area = (box[2] - box[0]) * (box[3] - box[1])
    shift = 20.0
    moved = Keypoints("halpe26", one.pixels + np.float32([shift, 0]), one.confidence, None)
    # exp(-d^2 / (2 s k^2)) with s the area and k twice the spread of 0.083
    assert similarity(one, moved) == pytest.approx(np.exp(-(shift**2) / (2 * area * 0.166**2)), rel=1e-5)
    assert similarity(one, moved, np.array([shift, 0.0])) == pytest.approx(1.0)
    unseen = Keypoints("halpe26", one.pixels, np.zeros(26, np.float32), None)
    assert similarity(one, unseen) == 0.0


def test_clothes_are_seen_where_they_are() -> None:
    one = body(300)
    image = picture((one, (90, 90, 90)))
    x, y = one.pixels[HALPE.index("left_shoulder")].astype(int)
    image[y - 5 : y + 100, 250:350] = RED  # the trunk alone
    worn = appearance(image, one)
    plain = appearance(picture((one, (90, 90, 90))), one)
    assert difference(worn, plain) == pytest.approx(0.5 * np.linalg.norm(worn[0] - plain[0]))
    np.testing.assert_allclose(worn[1], plain[1], atol=1e-9)
    assert difference(appearance(picture((one, RED)), one), appearance(picture((one, BLUE)), one)) > 0.2
    outside = Keypoints("halpe26", one.pixels + np.float32(2000), one.confidence, None)
    assert np.isnan(difference(appearance(image, outside), worn))
