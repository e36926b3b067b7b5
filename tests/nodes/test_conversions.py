"""Messages and values: there and back through the middleware's own serialisation (CDR), and what is refused."""

import math
from array import array
from dataclasses import is_dataclass
from fractions import Fraction

import cv2
import numpy as np
import pytest
from builtin_interfaces.msg import Time
from hypothesis import given, settings
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from fitmotion_models.fms.screen import ScreenResult
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
from fitmotion_models.mover import make_mover, seen_from
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES, BodyPose, Source
from fitmotion_models.skeleton.joint_sets import JOINT_SET_IDS, JOINT_SETS
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_msgs.msg import BodyPose as RosBodyPose
from fitmotion_nodes import conversions, image_conversions

few = settings(max_examples=25)  # every example goes through the middleware's serialisation
float32 = st.floats(-1e6, 1e6, width=32)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
seconds = st.floats(min_value=-(2.0**31), max_value=2.0**31 - 1)


def through_cdr(msg):
    """What a subscriber in another process gets."""
    return deserialize_message(serialize_message(msg), type(msg))


def same_arrays(first, second, names=ARRAY_SHAPES) -> None:
    for name in names:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


def a_pose(seed: int = 0, unseen: int = 0) -> BodyPose:
    """A pose with arbitrary but possible values, the first `unseen` joints and feet not seen."""
    rng = np.random.default_rng(seed)
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in ARRAY_SHAPES.items()}
    arrays["rotations"] /= np.linalg.norm(arrays["rotations"], axis=-1, keepdims=True)
    arrays["view_direction"] /= np.linalg.norm(arrays["view_direction"])
    arrays["confidence"] = rng.uniform(0.01, 1.0, 22).astype(np.float32)
    arrays["feet_confidence"] = rng.uniform(0.01, 1.0, 4).astype(np.float32)
    for points, confidence in (("positions", "confidence"), ("rotations", "confidence"), ("feet", "feet_confidence")):
        arrays[points][:unseen] = np.nan
        arrays[confidence][:unseen] = 0.0
    return BodyPose(stamp=12.345678901, subject="anna", source=Source.CAMERA, views=1, **arrays)


def test_message_fields_are_checked_in_these_tests() -> None:
    with pytest.raises(AssertionError):
        RosBodyPose(subject=3)


# ---- time ----


def test_a_stamp_is_the_nearest_float_of_its_nanoseconds() -> None:
    # 1795188112.048975396 s: 0.048975396 exactly between no floats; the decimal literal is rounded by the C library
    assert conversions.stamp_from_msg(Time(sec=1795188112, nanosec=48975396)) == 1795188112.048975396
    assert conversions.stamp_from_msg(Time(sec=0, nanosec=1)) == 1e-9


@given(st.integers(0, 2**53 // 10**9), st.integers(0, 10**9 - 1))
def test_media_time_survives_to_the_nanosecond(sec: int, nanosec: int) -> None:
    stamp = Time(sec=min(sec, 10**5), nanosec=nanosec)
    assert conversions.stamp_to_msg(conversions.stamp_from_msg(stamp)) == stamp


@given(seconds)
def test_seconds_become_the_nearest_nanosecond(value: float) -> None:
    stamp = through_cdr(conversions.stamp_to_msg(value))
    exact = Fraction(value) * 10**9
    assert abs(stamp.sec * 10**9 + stamp.nanosec - exact) <= Fraction(1, 2) + Fraction(1, 1000)
    assert 0 <= stamp.nanosec < 10**9


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_stamp_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        conversions.stamp_to_msg(value)


# ---- bodies ----


@given(st.integers(0, 2**32 - 1), st.integers(0, 22))
@few
def test_a_pose_that_travelled_equals_the_one_that_did_not(seed: int, unseen: int) -> None:
    pose = a_pose(seed, unseen)
    back = conversions.body_pose_from_msg(through_cdr(conversions.body_pose_to_msg(pose)))
    same_arrays(pose, back)
    assert (back.stamp, back.subject, back.source, back.views) == (12.345678901, "anna", Source.CAMERA, 1)


def test_the_message_holds_joint_after_joint() -> None:
    pose = a_pose()
    msg = through_cdr(conversions.body_pose_to_msg(pose, frame_id="world"))
    knee = JOINT_SETS["smpl22"].index("left_knee")
    assert msg.positions[3 * knee : 3 * knee + 3].tolist() == pose.positions[knee].tolist()
    assert msg.rotations[4 * knee : 4 * knee + 4].tolist() == pose.rotations[knee].tolist()
    assert msg.feet[3:6].tolist() == pose.feet[1].tolist()
    assert msg.header.frame_id == "world"


def test_the_exact_stamp_of_the_image_is_kept() -> None:
    stamp = Time(sec=1795188112, nanosec=48975397)  # no float holds this
    assert through_cdr(conversions.body_pose_to_msg(a_pose(), stamp=stamp)).header.stamp == stamp


def test_an_observed_mover_passes_every_check() -> None:
    for pose in seen_from(make_mover("squat_knees_in"), (1.0, 0.0, 0.0)):
        conversions.check_body_pose(pose)


def broken_poses():
    def change(name, index, value):
        msg = conversions.body_pose_to_msg(a_pose())
        array_ = getattr(msg, name).copy()
        array_[index] = value
        setattr(msg, name, array_)
        return msg

    yield "positions of .* are not finite", change("positions", 5, np.nan)
    yield "positions of .* are not finite", change("positions", 5, np.inf)
    yield "feet of .* are not finite", change("feet", 0, np.nan)
    yield "confidence is outside 0 to 1", change("confidence", 3, 1.5)
    yield "confidence is outside 0 to 1", change("confidence", 3, np.nan)
    yield "feet_confidence is outside 0 to 1", change("feet_confidence", 1, -0.5)
    yield "rotations must have length 1", change("rotations", 2, 3.0)
    yield "view_direction must have length 1", change("view_direction", 0, 7.0)
    yield "bone_offsets are not finite", change("bone_offsets", 7, np.nan)
    wrong_frame = conversions.body_pose_to_msg(a_pose(), frame_id="camera_optical_frame")
    yield "in frame 'camera_optical_frame', expected 'world'", wrong_frame
    nameless = conversions.body_pose_to_msg(a_pose())
    nameless.subject = ""
    yield "no subject", nameless
    strange = conversions.body_pose_to_msg(a_pose())
    strange.source = 99
    yield "source is 99; allowed: .*GENERATED", strange


@pytest.mark.parametrize(("sentence", "msg"), list(broken_poses()))
def test_a_broken_pose_is_refused_with_a_sentence(sentence: str, msg: RosBodyPose) -> None:
    with pytest.raises(ValueError, match=sentence):
        conversions.body_pose_from_msg(through_cdr(msg))


@pytest.mark.parametrize("start", [0.0, 1795188112.25])
def test_a_clip_travels_unchanged(start: float) -> None:
    clip = make_mover("squat_shallow")
    clip = MotionClip(**{**vars(clip), "stamps": np.round(clip.stamps + start, 6), "labels": ("deep_squat", "tief")})
    back = conversions.clip_from_msg(through_cdr(conversions.clip_to_msg(clip)))
    same_arrays(clip, back)
    np.testing.assert_allclose(back.stamps, clip.stamps, rtol=0, atol=3e-7)  # the grain of floats that large
    if start == 0.0:
        np.testing.assert_array_equal(back.stamps, clip.stamps)
    assert (back.fps, back.subject, back.source, back.views, back.labels) == (
        clip.fps,
        clip.subject,
        clip.source,
        clip.views,
        clip.labels,
    )


def test_a_clip_whose_arrays_do_not_fit_is_refused() -> None:
    msg = conversions.clip_to_msg(make_mover("squat"))
    msg.feet = msg.feet[:-1]
    with pytest.raises(ValueError, match="feet has .* numbers, expected"):
        conversions.clip_from_msg(through_cdr(msg))
    msg = conversions.clip_to_msg(make_mover("squat"))
    msg.frames += 1
    with pytest.raises(ValueError, match="stamps for frames="):
        conversions.clip_from_msg(through_cdr(msg))
    msg = conversions.clip_to_msg(make_mover("squat"), frame_id="map")
    with pytest.raises(ValueError, match="frame 'map'"):
        conversions.clip_from_msg(through_cdr(msg))


# ---- keypoints ----


@pytest.mark.parametrize("name", list(JOINT_SET_IDS))
def test_keypoints_of_every_joint_set_travel(name: str) -> None:
    count = len(JOINT_SETS[name].joints)
    rng = np.random.default_rng(1)
    pixels = rng.uniform(0, 480, (count, 2)).astype(np.float32)
    confidence = rng.uniform(0.1, 1, count).astype(np.float32)
    pixels[0], confidence[0] = np.nan, 0.0
    keypoints = Keypoints(name, pixels, confidence, None)
    msg = conversions.keypoints_to_msg(keypoints, Header(), width=640, height=480, joint_set=name, subject="anna")
    back = conversions.keypoints_from_msg(through_cdr(msg))
    assert (msg.subject, msg.width, msg.height, back.joint_set) == ("anna", 640, 480, name)
    same_arrays(keypoints, back, ("pixels", "confidence"))


def test_nobody_is_an_answer_too() -> None:
    msg = conversions.keypoints_to_msg(None, Header(), width=4, height=3, joint_set="coco17", subject="anna")
    msg = through_cdr(msg)
    assert (msg.subject, len(msg.pixels), list(msg.confidence)) == ("", 34, [0.0] * 17)
    assert conversions.keypoints_from_msg(msg) is None


def test_skeletons_that_contradict_themselves_are_refused() -> None:
    def skeleton():
        keypoints = Keypoints("coco17", np.ones((17, 2), np.float32), np.ones(17, np.float32), None)
        return conversions.keypoints_to_msg(keypoints, Header(), width=9, height=9, joint_set="coco17", subject="a")

    msg = skeleton()
    msg.joint_set = 77
    with pytest.raises(ValueError, match="joint_set=77; known: .*coco17"):
        conversions.keypoints_from_msg(msg)
    msg = skeleton()
    msg.confidence = msg.confidence[:-1]
    with pytest.raises(ValueError, match="34 pixel values and 16 confidences"):
        conversions.keypoints_from_msg(msg)
    msg = skeleton()
    msg.pixels[3] = math.nan
    with pytest.raises(ValueError, match="pixels are not finite"):
        conversions.keypoints_from_msg(msg)
    msg = skeleton()
    msg.confidence[3] = 1.25
    with pytest.raises(ValueError, match="confidence is outside"):
        conversions.keypoints_from_msg(msg)


# ---- assessments ----

criteria = st.builds(
    Criterion,
    name=words,
    value=st.one_of(st.just(math.nan), float32),
    threshold=float32,
    unit=st.sampled_from(["deg", "m", "s", ""]),
    verdict=st.sampled_from(Verdict),
    joints=st.lists(st.integers(0, 25), max_size=5).map(tuple),
    advice=words,
)
nanosecond_times = st.integers(0, 10**14).map(lambda count: count / 10**9)


def equal_but_for_nan(first, second) -> bool:
    """Equality in which NaN equals NaN and a number its nearest float32; times are exact."""

    def comparable(value):
        if isinstance(value, float):
            return repr(np.float32(value))
        if isinstance(value, tuple):
            return tuple(comparable(item) for item in value)
        if is_dataclass(value):
            exact = ("stamp", "start", "end")
            return {name: item if name in exact else comparable(item) for name, item in vars(value).items()}
        return value

    return comparable(first) == comparable(second)


@few
@given(criteria)
def test_a_criterion_travels(criterion: Criterion) -> None:
    back = conversions.criterion_from_msg(through_cdr(conversions.criterion_to_msg(criterion)))
    assert equal_but_for_nan(back, criterion)


@few
@given(
    st.builds(
        Assessment,
        stamp=nanosecond_times,
        subject=words,
        movement=st.sampled_from(Movement),
        variation=st.sampled_from(Variation),
        side=st.sampled_from(Side),
        trial=st.integers(0, 255),
        repetition=st.integers(0, 65535),
        score=st.integers(-1, 3),
        reason=words,
        confidence=float32,
        scorer=words,
        criteria=st.lists(criteria, max_size=3).map(tuple),
        start=nanosecond_times,
        end=nanosecond_times,
        learned_score=st.integers(-1, 3),
        disagreement=st.booleans(),
        pain=st.booleans(),
        overridden=st.booleans(),
        override_reason=words,
    )
)
def test_an_assessment_travels(assessment: Assessment) -> None:
    msg = conversions.assessment_to_msg(assessment)
    assert equal_but_for_nan(conversions.assessment_from_msg(through_cdr(msg)), assessment)


@few
@given(
    st.builds(
        AssessmentState,
        stamp=nanosecond_times,
        subject=words,
        movement=st.sampled_from(Movement),
        side=st.sampled_from(Side),
        phase=st.sampled_from(Phase),
        progress=float32,
        criteria=st.lists(criteria, max_size=3).map(tuple),
    )
)
def test_a_state_travels(state: AssessmentState) -> None:
    msg = conversions.state_to_msg(state, conversions.header_to_msg(state.stamp, "world"))
    assert equal_but_for_nan(conversions.state_from_msg(through_cdr(msg)), state)


def test_a_threshold_arrives_as_it_is_written_in_the_table() -> None:
    criterion = Criterion("femur_below_horizontal", -0.036, 0.02, "m", Verdict.MET, (1, 4), "")
    assert conversions.criterion_from_msg(through_cdr(conversions.criterion_to_msg(criterion))) == criterion


seven_scores = st.lists(st.integers(-1, 3), min_size=7, max_size=7).map(tuple)


@few
@given(
    st.builds(
        ScreenResult,
        subject=words,
        left=seven_scores,
        right=seven_scores,
        final=seven_scores,
        asymmetric=st.lists(st.booleans(), min_size=7, max_size=7).map(tuple),
        clearing=st.lists(st.integers(0, 2), min_size=3, max_size=3).map(tuple),
        total=st.integers(-1, 21),
        notes=st.lists(words, max_size=3).map(tuple),
        person=words,
        session=st.integers(0, 2**32 - 1),
        open=st.booleans(),
    )
)
def test_a_screen_travels(screen: ScreenResult) -> None:
    assert conversions.screen_from_msg(through_cdr(conversions.screen_to_msg(screen, Header()))) == screen


def test_unknown_numbers_in_an_assessment_are_refused() -> None:
    state = AssessmentState(0.0, "a", Movement.DEEP_SQUAT, Side.BOTH, Phase.BOTTOM, 1.0, ())
    msg = conversions.state_to_msg(state, Header())
    msg.phase = 200
    with pytest.raises(ValueError, match="state phase is 200; allowed: .*BOTTOM"):
        conversions.state_from_msg(msg)


# ---- images and cameras ----


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "mono8", "rgba8", "bgra8"])
@pytest.mark.parametrize("padding", [0, 5])
def test_images_of_every_encoding_arrive_as_rgb(encoding: str, padding: int) -> None:
    rng = np.random.default_rng(3)
    channels = {"mono8": 1, "rgba8": 4, "bgra8": 4}.get(encoding, 3)
    pixels = rng.integers(0, 256, (33, 47, channels), np.uint8)
    order = {"rgb8": [0, 1, 2], "bgr8": [2, 1, 0], "mono8": [0, 0, 0], "rgba8": [0, 1, 2], "bgra8": [2, 1, 0]}[encoding]
    msg = image_conversions.image_to_msg(pixels, Header(frame_id="camera"), encoding)
    if padding:
        padded = np.zeros((33, 47 * channels + padding), np.uint8)
        padded[:, : 47 * channels] = pixels.reshape(33, -1)
        msg.step, msg.data = padded.shape[1], array("B", padded.tobytes())
    image = image_conversions.image_from_msg(through_cdr(msg))
    assert image.flags.c_contiguous
    np.testing.assert_array_equal(image, pixels[..., order])


@pytest.mark.parametrize("encoding", ["yuv422", "uyvy", "yuv422_yuy2", "yuyv"])
@pytest.mark.parametrize("colour", [(200, 40, 60), (20, 220, 90), (90, 90, 90), (255, 255, 255)])
def test_colours_of_webcams_arrive_as_rgb(encoding: str, colour: tuple[int, int, int]) -> None:
    """By the equations of ITU-R BT.601, with the narrow range that Video4Linux gives."""
    red, green, blue = (value / 255.0 for value in colour)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    y, u, v = 16 + 219 * luma, 128 + 224 * (blue - luma) / 1.772, 128 + 224 * (red - luma) / 1.402
    pair = (u, y, v, y) if encoding in ("yuv422", "uyvy") else (y, u, y, v)
    pixels = np.tile(np.round(pair).astype(np.uint8), (34, 20)).reshape(34, 40, 2)
    msg = image_conversions.image_to_msg(pixels, Header(), encoding)
    image = image_conversions.image_from_msg(through_cdr(msg)).astype(int)
    assert np.abs(image - colour).max() <= 3
    msg.width = 39
    with pytest.raises(ValueError, match="39 columns"):
        image_conversions.image_from_msg(msg)


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_colours_of_industrial_cameras_arrive_as_rgb(pattern: str) -> None:
    colour = {"r": 200, "g": 120, "b": 40}
    cell = np.array([colour[letter] for letter in pattern], np.uint8).reshape(2, 2)
    msg = image_conversions.image_to_msg(np.tile(cell, (20, 24)), Header(), f"bayer_{pattern}8")
    image = image_conversions.image_from_msg(through_cdr(msg))
    np.testing.assert_array_equal(image, np.broadcast_to(np.uint8([200, 120, 40]), (40, 48, 3)))


def test_a_padded_image_may_end_with_its_last_pixel() -> None:
    pixels = np.arange(33 * 40 * 3, dtype=np.uint8).reshape(33, 120)
    padded = np.zeros((33, 128), np.uint8)
    padded[:, :120] = pixels
    msg = image_conversions.image_to_msg(pixels.reshape(33, 40, 3), Header())
    msg.step, msg.data = 128, array("B", padded.tobytes()[:-8])
    np.testing.assert_array_equal(image_conversions.image_from_msg(through_cdr(msg)), pixels.reshape(33, 40, 3))


def test_images_that_cannot_be_used_are_refused_with_a_sentence() -> None:
    msg = image_conversions.image_to_msg(np.zeros((40, 40, 3), np.uint8), Header())
    msg.encoding = "16UC1"
    with pytest.raises(ValueError, match="encoding '16UC1' is unknown; allowed: rgb8, bgr8"):
        image_conversions.image_from_msg(msg)
    msg.encoding = "rgb8"
    msg.data = msg.data[:-1]
    with pytest.raises(ValueError, match="4799 bytes"):
        image_conversions.image_from_msg(msg)
    msg.step = 100
    with pytest.raises(ValueError, match="step of at least 120"):
        image_conversions.image_from_msg(msg)
    with pytest.raises(ValueError, match="2x2 pixels is smaller than a pose can be found in"):
        image_conversions.image_from_msg(image_conversions.image_to_msg(np.zeros((2, 2, 3), np.uint8), Header()))
    with pytest.raises(ValueError, match="2000000000x2000000000"):
        msg.width = msg.height = 2_000_000_000
        image_conversions.image_from_msg(msg)
    with pytest.raises(ValueError, match="is no rgb8"):
        image_conversions.image_to_msg(np.zeros((40, 40), np.uint8), Header())


def test_a_jpeg_looks_like_its_image() -> None:
    gradient = np.zeros((64, 96, 3), np.uint8)
    gradient[..., 0], gradient[..., 2] = np.arange(96), 255 - 2 * np.arange(96)
    msg = through_cdr(image_conversions.compressed_image_to_msg(gradient, Header(frame_id="c"), 95))
    assert "jpeg" in msg.format
    decoded = cv2.imdecode(np.frombuffer(msg.data, np.uint8), cv2.IMREAD_COLOR_BGR)
    assert np.abs(decoded.astype(int) - gradient).mean() < 3


def test_intrinsics_travel_and_a_guess_stays_a_guess() -> None:
    calibrated = CameraModel(640, 480, 500.25, 501.5, 320.125, 241.0, (0.1, -0.2, 0.001, 0.002, 0.3))
    for camera in (calibrated, CameraModel.guess(1080, 1920)):
        msg = through_cdr(image_conversions.camera_info_to_msg(camera, Header()))
        assert image_conversions.camera_info_from_msg(msg) == camera
        assert (msg.distortion_model == "pinhole_guess") == camera.is_guess
        assert list(msg.p.reshape(3, 4)[:, :3].ravel()) == list(msg.k)


def test_an_uncalibrated_camera_info_is_refused() -> None:
    with pytest.raises(ValueError, match="not calibrated"):
        image_conversions.camera_info_from_msg(CameraInfo(width=640, height=480))
