"""Where sensors sit: the shipped table, a user's own, and what is refused."""

import numpy as np
import pytest

from fitmotion_models.imu import Site, SiteFrames, load_sites, select_sites
from fitmotion_models.imu.sites import load_placements
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS, forward_kinematics
from fitmotion_models.skeleton.rotations import from_rotvec, rotate

PAIRS = ("wrist", "thigh", "shank", "foot")
WANTED = {"pelvis", "chest", "head", *(f"{side}_{name}" for side in ("left", "right") for name in PAIRS)}


def body(seed: int = 0, unseen: tuple[str, ...] = ()):
    """Arrays of a body in a random pose, positions by forward kinematics."""
    rng = np.random.default_rng(seed)
    rotations = from_rotvec(0.5 * rng.normal(size=(22, 3)))
    positions = forward_kinematics(rng.normal(size=3), rotations, REST_OFFSETS)
    confidence = np.ones(22)
    for name in unseen:
        joint = SMPL22.index(name)
        positions[joint], rotations[joint], confidence[joint] = np.nan, np.nan, 0.0
    return positions, rotations, confidence, REST_OFFSETS


def test_all_named_placements_are_there_and_both_sides_mirror_each_other() -> None:
    sites = load_sites()
    assert set(sites) >= WANTED
    assert not set(sites) & set(load_placements())
    sites |= load_placements()
    for name, site in sites.items():
        if name.startswith("left_"):
            other = sites[name.replace("left_", "right_")]
            assert other.bone == site.bone.replace("left_", "right_")
            x, y, z = site.lever_arm
            assert (other.lever_arm, other.along) == ((x, -y, z), site.along)


def test_in_the_rest_pose_the_sensors_are_where_the_names_say() -> None:
    sites = load_sites()
    rest = forward_kinematics(np.zeros(3), np.tile((0.0, 0.0, 0.0, 1.0), (22, 1)), REST_OFFSETS)
    identity = np.tile((0.0, 0.0, 0.0, 1.0), (22, 1))
    places, turns = SiteFrames(list(sites.values()))(rest, identity, np.ones(22), REST_OFFSETS)
    at = dict(zip(sites, places, strict=True))
    np.testing.assert_allclose(turns, np.tile((0.0, 0.0, 0.0, 1.0), (len(sites), 1)), atol=1e-12)
    assert at["pelvis"][0] < -0.05 and at["chest"][0] > 0.05  # on the sacrum, on the sternum
    assert at["head"][2] > at["chest"][2] > at["pelvis"][2] > at["left_thigh"][2] > at["left_shank"][2]
    assert at["left_shank"][2] > at["left_foot"][2]
    wrist, elbow = (rest[SMPL22.index(name)] for name in ("left_wrist", "left_elbow"))
    assert np.linalg.norm(at["left_wrist"] - wrist) < 0.05 < np.linalg.norm(at["left_wrist"] - elbow)


def test_further_placements_are_where_the_words_say() -> None:
    sites = load_placements()
    rest = forward_kinematics(np.zeros(3), np.tile((0.0, 0.0, 0.0, 1.0), (22, 1)), REST_OFFSETS)
    identity = np.tile((0.0, 0.0, 0.0, 1.0), (22, 1))
    places, _ = SiteFrames(list(sites.values()))(rest, identity, np.ones(22), REST_OFFSETS)
    at, joint = dict(zip(sites, places, strict=True)), {name: rest[SMPL22.index(name)] for name in SMPL22.joints}
    for name in ("waist", "lower_back", "left_hip_belt"):  # a belt's height, between the hips and the ribs
        assert joint["left_hip"][2] < at[name][2] < joint["spine3"][2]
    assert at["waist"][0] > 0.05 and at["lower_back"][0] < -0.05 and at["left_hip_belt"][1] > joint["left_hip"][1]
    assert at["left_front_pocket"][0] > 0.0 > at["left_back_pocket"][0]
    assert at["left_front_pocket"][2] > 0.7 * joint["left_hip"][2] + 0.3 * joint["left_knee"][2]
    assert np.linalg.norm(at["left_ankle"] - joint["left_ankle"]) < 0.1
    assert at["left_hand"][1] > joint["left_wrist"][1] > at["left_forearm"][1] > joint["left_elbow"][1]
    assert at["left_ear"][2] > joint["head"][2] and at["glasses"][0] > at["left_ear"][0]


def test_placements_are_asked_for_by_name_and_changed_in_a_file(tmp_path) -> None:
    assert [site.name for site in select_sites(["waist", "head"])] == ["waist", "head"]
    assert len(select_sites(["all"])) == 13
    (tmp_path / "mine.yaml").write_text("left_ankle: {mount_rotation_deg: [0, 0, 90]}")
    (mine,) = select_sites(["left_ankle"], tmp_path / "mine.yaml")
    assert (mine.bone, mine.along, mine.mount_rotation_deg) == ("left_knee", 0.9, (0.0, 0.0, 90.0))


def test_a_wrist_sensor_rides_on_the_forearm() -> None:
    """However the arm is held, the sensor keeps its distance to elbow and wrist, and the hand does not move it."""
    frames = SiteFrames(select_sites(["left_wrist"]))
    elbow, wrist = SMPL22.index("left_elbow"), SMPL22.index("left_wrist")
    distances = []
    for seed in range(5):
        positions, rotations, confidence, bones = body(seed)
        places, turns = frames(positions, rotations, confidence, bones)
        distances.append([np.linalg.norm(places[0] - positions[joint]) for joint in (elbow, wrist)])
        rotations[wrist] = (1.0, 0.0, 0.0, 0.0)
        again = frames(positions, rotations, confidence, bones)
        np.testing.assert_array_equal(again[0], places)
        np.testing.assert_array_equal(again[1], turns)
    np.testing.assert_allclose(distances, np.broadcast_to(distances[0], (5, 2)), atol=1e-9)


def test_roll_pitch_and_yaw_are_about_fixed_axes_in_this_order() -> None:
    # ROS: REP-103. Roll by 90 degrees takes y to z; a yaw after it, about the fixed z, takes x to y
    mount = Site("thigh", "left_hip", mount_rotation_deg=(90.0, 0.0, 90.0)).mount_rotation
    np.testing.assert_allclose(rotate(mount, np.eye(3)), [(0, 1, 0), (0, 0, 1), (1, 0, 0)], atol=1e-12)


def test_unseen_joints_lose_their_sensors_only() -> None:
    frames = SiteFrames(select_sites(["pelvis", "left_wrist", "right_wrist"]))
    everything = frames(*body(3))
    places, turns = frames(*body(3, unseen=("left_elbow",)))
    assert np.isnan(places[1]).all() and np.isnan(turns[1]).all()
    for one, other in zip((places, turns), everything, strict=True):
        np.testing.assert_array_equal(one[[0, 2]], other[[0, 2]])


def test_a_users_file_changes_single_fields_and_adds_sites(tmp_path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "left_wrist: {mount_rotation_deg: [180, 0, 90]}\n"
        "pocket: {bone: right_hip, towards: right_knee, along: 0.2, lever_arm: [0.05, -0.1, 0]}\n"
    )
    shipped, mine = load_sites(), load_sites(path)
    assert mine["left_wrist"].lever_arm == shipped["left_wrist"].lever_arm
    assert mine["left_wrist"].mount_rotation_deg == (180.0, 0.0, 90.0)
    assert mine["chest"] == shipped["chest"]
    assert [site.name for site in select_sites(["pocket", "head"], path)] == ["pocket", "head"]
    assert len(select_sites(["all"], path)) == len(shipped) + 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("left_wrist: {bone: left_paw}", "site left_wrist: joint 'left_paw' is unknown; known: pelvis"),
        ("pocket: {lever_arm: [0, 0, 0]}", "site pocket is not a shipped one and has no bone"),
        ("chest: {lever_arm: [110, 0, 50]}", "longer than 0.5 m; it is in metres"),
        ("chest: {lever_arm: [0.1, 0]}", r"lever_arm=\[0.1, 0\] must be three finite numbers"),
        ("chest: {lever_arm: [0.1, 0, .nan]}", "must be three finite numbers"),
        ("chest: {arm: [0, 0, 0]}", "site chest has unknown field arm; allowed: bone, towards"),
        ("left_thigh: {along: 1.5}", "along=1.5 is no share of the bone; allowed: 0 to 1"),
        ("left_thigh: {towards: left_ankle}", "no bone leads from left_hip to left_ankle; allowed: left_knee"),
        ("pelvis: {along: 0.5}", "needs towards"),
        ("my site: {bone: head}", "cannot name a topic"),
        ("[1, 2]", "must hold names of sites"),
        ("chest: {", "is no YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_a_sentence(tmp_path, text, sentence) -> None:
    path = tmp_path / "sites.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence) as error:
        load_sites(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["tail"], "site 'tail' is unknown; known: all, pelvis, chest"),
        (["pelvis", "pelvis"], "a site is named twice"),
        ([], "no site is named"),
    ],
)
def test_wrong_names_are_refused(names, sentence) -> None:
    with pytest.raises(ValueError, match=sentence):
        select_sites(names)
