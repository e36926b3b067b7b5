"""The overlay: drawn where the body is, red where it fails, and the rest of the picture left alone."""

from dataclasses import replace

import numpy as np
import pytest

from fitmotion_models.fms.values import NOT_SCORABLE, AssessmentState, Movement, Phase, Side
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.joint_sets import JOINT_SETS, SMPL22
from fitmotion_models.viewer import palette
from fitmotion_models.viewer.canvas import Canvas
from fitmotion_models.viewer.figure import POINTS, body_points
from fitmotion_models.viewer.live_test import LiveTest
from fitmotion_models.viewer.mannequin import Viewpoint
from fitmotion_models.viewer.overlay import draw_overlay, fitted, image_points

SIZES = [(640, 480), (1080, 1920), (1920, 1080)]
VIEW = Viewpoint(azimuth=0.9, distance=3.4)
GREY = 120


def plain(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def near(image: np.ndarray, place: np.ndarray, colour: palette.Rgb, radius: int = 3) -> bool:
    """Whether a colour is within some pixels of a place."""
    x, y = np.round(place).astype(int)
    patch = image[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1].reshape(-1, 3).astype(int)
    return bool((np.abs(patch - 255 * np.array(colour[::-1])) < 14).all(1).any())


def share_of(image: np.ndarray, colour: palette.Rgb) -> int:
    """How many pixels have a colour."""
    return int((np.abs(image.astype(int) - 255 * np.array(colour[::-1])) < 14).all(-1).sum())


def test_others_are_grey_and_the_views_guidance_is_read(at, detected) -> None:
    pose, test = at("squat", 1.0)
    camera = CameraModel.guess(1280, 720)
    main = detected(pose, camera, VIEW)
    other = Keypoints(main.joint_set, main.pixels + np.float32((330.0, 20.0)), main.confidence, None)
    nobodys = LiveTest()
    nobodys.update(AssessmentState(0.0, "person_2", Movement.UNKNOWN, Side.BOTH, Phase.UNKNOWN, 0.0, ()))
    image = plain(1280, 720)
    draw_overlay(image, main, test, others=[(other, nobodys)], guidance=["The feet are cut off: move the camera back."])
    right_half = image[:, 900:]
    assert share_of(right_half, palette.LEFT) == share_of(right_half, palette.RIGHT) == 0
    assert share_of(right_half, palette.UNKNOWN) > 300
    alone = plain(1280, 720)
    draw_overlay(alone, main, test)
    assert share_of(image[:, :500], palette.FAIR) > share_of(alone[:, :500], palette.FAIR) + 100  # its bar
    # one who is not assessed is grey too when alone, and has no faults
    lonely = plain(1280, 720)
    draw_overlay(lonely, main, nobodys)
    assert share_of(lonely, palette.LEFT) == 0 and share_of(lonely, palette.UNKNOWN) > 300


@pytest.mark.parametrize("size", SIZES)
def test_the_body_is_drawn_over_the_body(at, detected, size) -> None:
    pose, test = at("squat", 1.0)
    camera = CameraModel.guess(*size)
    image = plain(*size)
    draw_overlay(image, detected(pose, camera, VIEW), test)
    places, _ = VIEW.project(body_points(pose)[0], camera)
    reach = round(4 * min(size) / 480)
    for side, colour in (("left", palette.LEFT), ("right", palette.RIGHT)):
        for first, second in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
            ends = places[[POINTS.index(f"{side}_{first}"), POINTS.index(f"{side}_{second}")]]
            assert near(image, ends.mean(0), colour, reach), (side, first)
            assert near(image, ends[0], palette.JOINT, reach)
    assert share_of(image, palette.FAULT) == 0
    # what is far from body, header and advice is the camera's picture
    assert (image[size[1] // 2 :, : size[0] // 8] == GREY).all()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("mover", "joints", "well"),
    [
        ("squat_heels_up", ("left_heel", "right_toe"), ("left_knee", "right_wrist")),
        ("squat_shallow", ("left_hip", "right_knee"), ("left_ankle", "neck")),
        ("squat_knee_in_left", ("left_knee", "left_ankle"), ("right_knee", "right_ankle")),
    ],
)
def test_what_fails_is_red_where_it_fails(at, detected, size, mover, joints, well) -> None:
    pose, test = at(mover, 3.1)
    camera = CameraModel.guess(*size)
    image = plain(*size)
    keypoints = detected(pose, camera, VIEW)
    draw_overlay(image, keypoints, test)
    places, _ = image_points(keypoints)
    for joint in joints:
        assert near(image, places[POINTS.index(joint)], palette.FAULT), joint
    for joint in well:
        assert not near(image, places[POINTS.index(joint)], palette.FAULT), joint
    assert len(test.faults) == 1
    advice = image[-round(50 * min(size) / 480) :]
    assert share_of(advice, palette.TEXT) > 100  # the words that say what to change


def test_the_score_is_in_the_header_in_its_colour(at, detected) -> None:
    camera = CameraModel.guess(640, 480)
    for mover, seconds, colour in (("squat", 1.0, None), ("squat", 4.6, 3), ("squat_shallow", 4.6, 1)):
        pose, test = at(mover, seconds)
        image = plain(640, 480)
        draw_overlay(image, detected(pose, camera, VIEW), test)
        header = image[10:82, 10:80]
        assert test.score == colour
        assert share_of(header, palette.score_colour(colour)) > 800, mover


def test_the_repetitions_change_the_header(at, detected) -> None:
    camera = CameraModel.guess(640, 480)
    pose, test = at("squat", 4.6)
    pictures = []
    for repetition in (1, 2):
        test.assessed(replace(test.assessment, repetition=repetition))
        pictures.append(plain(640, 480))
        draw_overlay(pictures[-1], detected(pose, camera, VIEW), test)
    rows, columns = np.nonzero((pictures[0] != pictures[1]).any(-1))
    assert len(rows) > 20
    assert rows.max() < 82 and columns.min() > 75 and columns.max() < 272


def test_a_scaled_picture_is_drawn_at_the_scaled_places(at, detected) -> None:
    pose, test = at("squat", 1.0)
    camera = CameraModel.guess(1280, 960)
    keypoints = detected(pose, camera, VIEW)
    small, scale = fitted(plain(1280, 960), 640)
    assert small.shape == (480, 640, 3) and scale == 0.5
    draw_overlay(small, keypoints, test, scale=scale)
    expected = plain(640, 480)
    draw_overlay(expected, replace(keypoints, pixels=keypoints.pixels * np.float32(0.5)), test)
    np.testing.assert_array_equal(small, expected)
    original = plain(640, 480)
    copy, scale = fitted(original, 640)
    copy[:] = 0
    assert scale == 1.0 and (original == GREY).all()


def test_nobody_and_nothing_known_is_said(at) -> None:
    image = plain(640, 480)
    draw_overlay(image, None, LiveTest())
    assert share_of(image[-60:], palette.TEXT) > 100
    assert (image[100:400] == GREY).all()


def test_a_score_that_could_not_be_given_says_why(at, detected) -> None:
    camera = CameraModel.guess(640, 480)
    pose, test = at("squat", 4.6)
    quiet, told = plain(640, 480), plain(640, 480)
    draw_overlay(quiet, detected(pose, camera, VIEW), test)
    test.assessed(replace(test.assessment, score=NOT_SCORABLE, reason="Film from the side. " * 20))
    draw_overlay(told, detected(pose, camera, VIEW), test)
    assert share_of(quiet[-60:], palette.TEXT) < 60 < share_of(told[-60:], palette.TEXT)


@pytest.mark.parametrize("size", [(64, 64), (160, 120), (4000, 300)])
def test_a_picture_of_any_shape_can_be_drawn_on(at, detected, size) -> None:
    for mover in ("squat_knees_in", "squat_arms_fall"):
        pose, test = at(mover, 3.1)
        image = plain(*size)
        draw_overlay(image, detected(pose, CameraModel.guess(*size), VIEW), test)
        assert (image != GREY).any()


def test_landmarks_far_outside_and_half_a_body_do_no_harm(at) -> None:
    _, test = at("squat_knees_in", 3.1)
    joints = JOINT_SETS["coco17"].joints
    random = np.random.default_rng(3)
    for _ in range(20):
        confidence = random.choice(np.float32([0.0, 0.1, 0.9]), len(joints))
        pixels = random.uniform(-5000, 5000, (len(joints), 2)).astype(np.float32)
        pixels[confidence == 0.0] = np.nan
        draw_overlay(plain(320, 240), Keypoints("coco17", pixels, confidence, None), test)


@pytest.mark.parametrize("joint_set", JOINT_SETS)
def test_points_of_every_joint_set_are_the_sets_own(joint_set) -> None:
    random = np.random.default_rng(5)
    count = len(JOINT_SETS[joint_set])
    pixels = random.uniform(50, 400, (count, 2)).astype(np.float32)
    points, confidence = image_points(Keypoints(joint_set, pixels, np.ones(count, np.float32), None))
    assert points.shape == (26, 2) and np.isfinite(points[confidence > 0]).all()
    names = {"azure_kinect32": "knee_left", "uiprmd22": "left_lower_leg"}
    knee = JOINT_SETS[joint_set].index(names.get(joint_set, "left_knee"))
    np.testing.assert_allclose(points[SMPL22.index("left_knee")], pixels[knee], atol=1e-4)


def test_long_words_are_wrapped_and_shortened_to_the_width() -> None:
    canvas = Canvas(plain(640, 480))
    text = "Press the left knee out over the toes and strengthen the outer hip muscles every day"
    for width in (80.0, 150.0, 300.0):
        rows = canvas.wrapped(text, width, 14.0, 2)
        assert len(rows) <= 2 and all(canvas.text_width(row, 14.0) <= width for row in rows)
        assert rows[-1].endswith("…") == (" ".join(rows) != text)
    assert " ".join(canvas.wrapped(text, 2000.0, 14.0, 2)) == text
    assert canvas.wrapped("", 100.0, 14.0, 2) == []
