"""The replay node: the clip that comes out is the clip that went in."""

import numpy as np
import pytest
from rosgraph_msgs.msg import Clock

from fitmotion_models.mover import make_mover
from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES, Source
from fitmotion_models.skeleton.clip_file import save_clip
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_msgs.msg import AssessmentState, BodyPose
from fitmotion_nodes.conversions import body_pose_from_msg, stamp_from_msg
from fitmotion_nodes.parameters import StreamParameters, frame_qos
from fitmotion_nodes.replay import ReplayNode, main
from fitmotion_nodes.spin import CannotRunError

LOSSLESS = frame_qos(StreamParameters(lossless=True))
LIVE = frame_qos(StreamParameters())


@pytest.fixture
def clip(tmp_path):
    """Forty poses of a squat, in a file; media time from 0.5 s at a crooked rate."""
    whole = make_mover("squat_knees_in")
    arrays = {name: getattr(whole, name)[60:100] for name in ARRAY_SHAPES if name != "bone_offsets"}
    stamps = np.round((0.5 + np.arange(40) / 29.97) * 1e9) / 1e9
    clip = MotionClip(**{**vars(whole), **arrays, "stamps": stamps, "fps": 29.97, "subject": "anna"})
    return clip, str(save_clip(tmp_path / "clip.npz", clip))


def test_lossless_the_clip_comes_out_as_it_went_in(ros, clip) -> None:
    original, path = clip
    graph = ros(clip=path, lossless=True)
    acknowledge = graph.node.create_publisher(AssessmentState, "fms/state", LOSSLESS)
    clocks = graph.hear(Clock, "/clock")
    poses = graph.hear(BodyPose, "body_pose", LOSSLESS)
    graph.add(ReplayNode())
    graph.until(lambda: len(poses) == 2)
    graph.spin_for(0.2)
    assert len(poses) == 2  # the third waits for the first to be scored
    answered = 0
    with pytest.raises(SystemExit) as ended:
        while True:
            for msg in poses[answered:]:
                acknowledge.publish(AssessmentState(header=msg.header))
                answered += 1
            graph.spin_for(0.005)
            assert len(poses) <= answered + 2
    assert ended.value.code == 0
    assert len(poses) == len(original)
    for msg, expected in zip(poses, original, strict=True):
        pose = body_pose_from_msg(msg)
        assert (pose.stamp, pose.subject, pose.source) == (expected.stamp, "anna", Source.REPLAY)
        for name in ARRAY_SHAPES:
            np.testing.assert_array_equal(getattr(pose, name), getattr(expected, name))
    assert {stamp_from_msg(msg.clock) for msg in clocks} <= set(original.stamps)


def test_a_listener_that_comes_late_gets_the_lossless_run_from_its_start(ros, clip) -> None:
    original, path = clip
    graph = ros(clip=path, lossless=True)
    first = graph.hear(BodyPose, "body_pose", LOSSLESS)
    graph.add(ReplayNode())
    graph.until(lambda: len(first) == 2)
    late = graph.hear(BodyPose, "body_pose", LOSSLESS)
    graph.until(lambda: len(late) == 2)
    assert [stamp_from_msg(msg.header.stamp) for msg in late] == list(original.stamps[:2])


def test_in_real_time_poses_are_stamped_now_and_never_early(ros, clip) -> None:
    original, path = clip
    graph = ros(clip=path, subject="bert", speed=2.0)
    poses = graph.hear(BodyPose, "body_pose", LIVE)
    graph.add(ReplayNode())
    with pytest.raises(SystemExit):
        graph.until(lambda: False)
    stamps = [stamp_from_msg(msg.header.stamp) for msg in poses]
    assert len(poses) > 5 and {msg.subject for msg in poses} == {"bert"}
    assert stamps[0] > 1e9 and stamps == sorted(stamps)
    heights = original.positions[:, 0].astype(np.float64)
    indices = [int(np.abs(heights - msg.positions[:3]).sum(1).argmin()) for msg in poses]
    assert indices == sorted(indices)
    assert stamps[-1] - stamps[0] >= (indices[-1] - indices[0]) / (2 * 29.97) - 0.01


def test_a_looped_clip_goes_on(ros, clip) -> None:
    _, path = clip
    graph = ros(clip=path, loop=True, speed=20.0)
    poses = graph.hear(BodyPose, "body_pose", LIVE)
    graph.add(ReplayNode())
    graph.until(lambda: len(poses) > 100)
    stamps = [stamp_from_msg(msg.header.stamp) for msg in poses]
    assert stamps == sorted(set(stamps))


def test_the_built_in_subject_plays(ros) -> None:
    graph = ros(mover="squat", fps=50.0)
    poses = graph.hear(BodyPose, "body_pose", LIVE)
    graph.add(ReplayNode())
    graph.until(lambda: len(poses) > 3)
    assert body_pose_from_msg(poses[0]).source is Source.MOVER


def test_a_clip_with_a_broken_pose_is_refused_before_it_starts(ros, clip, tmp_path) -> None:
    original, _ = clip
    positions = original.positions.copy()
    positions[17, 3] = np.nan
    save_clip(tmp_path / "broken.npz", MotionClip(**{**vars(original), "positions": positions}))
    ros(clip=str(tmp_path / "broken.npz"))
    with pytest.raises(CannotRunError, match="positions of .3. are not finite"):
        ReplayNode()


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"mover": "cartwheel"}, "mover 'cartwheel' is unknown; known: squat"),
        ({"clip": "/missing/clip.npz"}, "clip=/missing/clip.npz: no such file"),
        ({}, "give exactly one"),
    ],
)
def test_what_cannot_be_played_ends_with_one_line_and_status_2(run_main, parameters, sentence) -> None:
    status, errors = run_main(main, **parameters)
    assert status == 2
    assert sentence in errors and len(errors.strip().splitlines()) == 1, errors
