"""What is wrong with the view is said, steadily, and taken back; the truth is painted."""

import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.models.pose.test_people import HALPE, body

from fitmotion_models.pose.guidance import (
    LEAST_HEIGHT_PX,
    SAID_AFTER_S,
    SENTENCES,
    TAKEN_BACK_AFTER_S,
    CameraGuidance,
)
from fitmotion_models.pose.image_source import open_source
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.joint_sets import JOINT_SETS

MEDIA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data")) / "media"
SIZE = (640, 480)
FPS = 30.0


WALL = np.kron(np.random.default_rng(4).integers(40, 200, (30, 60, 3)), np.ones((16, 16, 1))).astype(np.uint8)


def room(shift: int = 0, light: float = 1.0) -> np.ndarray:
    """A background with edges, seen from a place."""
    seen = WALL[: SIZE[1], 100 + shift : 100 + shift + SIZE[0]]
    return seen.copy() if light == 1.0 else cv2.convertScaleAbs(seen, alpha=light)


def said(guidance: CameraGuidance, image, keypoints, seconds: float, start: float = 0.0, up=None) -> list[str]:
    """The keys of what is said after looking for a while; image: one, or a function of the number."""
    for index in range(round(seconds * FPS) + 1):
        now = image(index) if callable(image) else image
        sentences = guidance.update(now, keypoints, start + index / FPS, up)
    return [key for key, sentence in SENTENCES.items() if sentence in sentences]


def changed(one: Keypoints, **moved: tuple[float, float] | float) -> Keypoints:
    """Joints whose names end like a key, put elsewhere (a pair) or with another confidence (a number)."""
    pixels, confidence = one.pixels.copy(), one.confidence.copy()
    for key, to in moved.items():
        rows = [index for index, name in enumerate(HALPE.joints) if name.endswith(key)]
        if isinstance(to, tuple):
            pixels[rows] += np.float32(to)
        else:
            confidence[rows] = to
    return Keypoints(one.joint_set, pixels, confidence, None)


GOOD = body(320, height=330, top=90)


def test_a_good_view_is_silent() -> None:
    assert said(CameraGuidance(), room(), GOOD, 3.0) == []
    assert said(CameraGuidance(), room(), None, 3.0) == []
    # someone who squats is no farther away
    squatting = body(320, height=180, top=240)
    assert "far" not in said(CameraGuidance(), room(), changed(squatting, knee=(0, -60), hip=(0, 60)), 3.0)


@pytest.mark.parametrize(
    ("key", "image", "keypoints"),
    [
        ("dark", room(light=0.2), GOOD),
        ("bright", room(light=9.0), GOOD),
        ("flat", np.full((SIZE[1], SIZE[0], 3), 120, np.uint8), GOOD),
        ("feet", room(), body(320, height=400, top=90)),
        ("head", room(), body(320, height=420, top=-60)),
        ("hands", room(), changed(GOOD, wrist=(0, -400))),
        ("side", room(), body(20, height=330, top=90)),
        ("near", room(), body(320, height=468, top=5)),
        ("far", room(), body(320, height=0.9 * LEAST_HEIGHT_PX, top=150)),
        ("feet_unseen", room(), changed(GOOD, ankle=0.1, heel=0.1, big_toe=0.1, small_toe=0.1)),
    ],
)
def test_what_is_wrong_is_said(key: str, image: np.ndarray, keypoints: Keypoints) -> None:
    assert key in said(CameraGuidance(), image, keypoints, 2.0)


def test_a_camera_that_moves_is_told_from_a_person_who_does_and_a_light_that_flickers() -> None:
    assert "moving" in said(CameraGuidance(), lambda index: room(shift=2 * (index % 90)), GOOD, 2.0)
    assert said(CameraGuidance(), lambda index: room(light=0.9 if index // 6 % 2 else 1.1), GOOD, 2.0) == []

    def walking(index: int) -> np.ndarray:
        image = room()
        image[90:420, 230 + 2 * index % 60 : 350 + 2 * index % 60] = (200, 40, 40)
        return image

    assert said(CameraGuidance(), walking, GOOD, 2.0) == []


def test_a_camera_that_is_tilted_or_crooked() -> None:
    def up(tilt: float, roll: float) -> np.ndarray:
        tilt, roll = np.radians(tilt), np.radians(roll)
        level = np.array([0.0, -np.cos(tilt), -np.sin(tilt)])
        turn = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        return turn @ level

    for tilt, roll, expected in (
        (5, 3, []),
        (32, 0, ["tilt"]),
        (-32, 0, ["tilt"]),
        (5, 14, ["roll"]),
        (5, -14, ["roll"]),
    ):
        assert said(CameraGuidance(), room(), GOOD, 2.0, up=up(tilt, roll)) == expected, (tilt, roll)


def test_nothing_flickers() -> None:
    guidance, dark, light = CameraGuidance(), room(light=0.2), room()
    assert said(guidance, dark, GOOD, SAID_AFTER_S - 0.3) == []  # a moment is no reason
    assert said(guidance, light, GOOD, 0.5, start=1.0) == []
    assert said(guidance, dark, GOOD, SAID_AFTER_S + 0.4, start=2.0) == ["dark"]
    assert said(guidance, light, GOOD, TAKEN_BACK_AFTER_S - 0.4, start=4.0) == ["dark"]
    assert said(guidance, dark, GOOD, 0.4, start=6.0) == ["dark"]
    assert said(guidance, light, GOOD, TAKEN_BACK_AFTER_S + 0.4, start=7.0) == []
    # at the threshold: neither said and taken back nor back and forth
    heights = LEAST_HEIGHT_PX * (1.0 + 0.03 * np.sin(np.arange(300) / 5.0))
    spoken = [said(guidance, light, body(320, height=heights[n], top=100), 0.0, start=10 + n / FPS) for n in range(300)]
    assert sum(before != after for before, after in zip(spoken, spoken[1:], strict=False)) <= 1


def test_it_knows_the_sets_of_landmarks() -> None:
    for name in ("coco17", "blazepose33", "halpe26"):
        count = len(JOINT_SETS[name].joints)
        pixels = np.random.default_rng(1).uniform(150, 300, (count, 2)).astype(np.float32)
        CameraGuidance().update(room(), Keypoints(name, pixels, np.ones(count, np.float32), None), 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(("video", "moves"), [("overhead_squat_7026.mov", True), ("pose2sim_cam03.mp4", False)])
def test_a_phone_in_a_hand_and_a_camera_on_a_tripod(video: str, moves: bool) -> None:
    """Of the first the background shifts by 4 to 10 pixels in 0.2 s (phase correlation), of the second by none."""
    path = MEDIA / video
    if not path.is_file():
        pytest.skip(f"{path} is missing; set FITMOTION_DATA")
    source, guidance = open_source(str(path)), CameraGuidance()
    for index in range(36):
        frame = source.read()
        sentences = guidance.update(frame.image_bgr[..., ::-1], None, index / FPS)
    source.close()
    assert sentences == ((SENTENCES["moving"],) if moves else ())


@pytest.mark.slow
def test_it_costs_little() -> None:
    """Measured and printed; the figure is for a quiet machine."""
    guidance, image = CameraGuidance(), room()
    start = time.perf_counter()
    for index in range(600):
        guidance.update(image, GOOD, index / FPS, np.array([0.0, -1.0, 0.0]))
    print(f"{(time.perf_counter() - start) / 600 * 1e3:.3f} ms an image")
