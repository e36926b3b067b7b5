"""The graph as data."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from fitmotion_nodes.graph import PROFILE_VARIABLES, Graph, GraphOptions, NodeSpec, build_graph
from fitmotion_nodes.parameter_files import overrides_for
from fitmotion_nodes.parameters import ParameterError

CONFIG = Path(__file__).resolve().parents[2] / "launch" / "config"


def graph(environment: dict[str, str] | None = None, **options: object) -> Graph:
    return build_graph(GraphOptions(**options), CONFIG, environment or {})  # type: ignore[arg-type]


def node(built: Graph, name: str) -> NodeSpec:
    return next(spec for spec in built.nodes if spec.name == name)


def test_a_camera_brings_images_to_the_scorer() -> None:
    built = graph(source="0")
    assert [spec.name for spec in built.nodes] == ["camera", "pose", "fms"]
    assert [spec.name for spec in built.nodes if spec.lifecycle] == ["camera", "pose"]
    assert [spec.name for spec in built.nodes if spec.ends_run] == ["camera"]
    assert "lossless" not in node(built, "camera").parameters


@pytest.mark.parametrize("source", [{"mover": "squat"}, {"replay": __file__}])
def test_a_replay_needs_no_camera(source: dict[str, str]) -> None:
    built = graph(**source)
    assert [spec.name for spec in built.nodes] == ["replay", "fms"]
    assert [spec.name for spec in built.nodes if spec.ends_run] == ["replay"]


def test_lossless_is_said_to_every_node_and_a_crash_starts_the_run_over() -> None:
    built = graph(source="a.mp4", lossless=True)
    assert all(spec.parameters["lossless"] and spec.parameters["use_sim_time"] for spec in built.nodes)
    assert built.restart_together
    assert not graph(source="a.mp4").restart_together


@pytest.mark.parametrize("options", [{}, {"source": "0", "mover": "squat"}])
def test_exactly_one_source(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        graph(**options)


def test_what_is_not_said_is_left_to_files_and_defaults() -> None:
    assert set(node(graph(source="0"), "fms").parameters) == set()
    assert node(graph(source="0", tilt=0.1, subject="anna"), "pose").parameters == {"tilt": 0.1, "subject": "anna"}


def test_another_drivers_images_need_no_camera_of_ours() -> None:
    built = graph(image_topic="/camera/color/image_raw", visualize=True, dashboard=True)
    assert [spec.name for spec in built.nodes] == ["pose", "fms", "visualizer", "dashboard"]
    assert not any(spec.ends_run for spec in built.nodes)
    for name in ("pose", "visualizer", "dashboard"):
        assert dict(node(built, name).remappings) == {
            "image_raw": "/camera/color/image_raw",
            "image_raw/compressed": "/camera/color/image_raw/compressed",
            "camera_info": "/camera/color/camera_info",
        }
    assert not node(built, "fms").remappings
    given = node(graph(image_topic="frames", camera_info_topic="/calibration"), "pose").remappings
    assert dict(given)["camera_info"] == "/calibration"
    assert dict(node(graph(image_topic="frames"), "pose").remappings)["camera_info"] == "camera_info"


def test_bodies_that_somebody_else_publishes_need_no_pose_of_ours() -> None:
    built = graph(body_pose_topic="/bag/body_pose", imu="pelvis", visualize=True, use_sim_time=True)
    assert [spec.name for spec in built.nodes] == ["fms", "virtual_imu", "visualizer"]
    for spec in built.nodes:
        assert dict(spec.remappings)["body_pose"] == "/bag/body_pose"
        assert spec.parameters["use_sim_time"] is True
        assert "lossless" not in spec.parameters


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image_topic": "/a b"}, "image_topic='/a b' is no ROS topic"),
        ({"image_topic": "a", "lossless": True}, "nobody there waits"),
        ({"source": "0", "camera_info_topic": "a"}, "belongs to image_topic"),
        ({"body_pose_topic": "a", "image_topic": "b"}, "exactly one"),
    ],
)
def test_topics_that_cannot_be_used(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        graph(**options)


def test_generation_is_a_source_of_its_own_or_runs_beside_another() -> None:
    alone = graph(generate=True, dashboard=True, imu="pelvis")
    assert [spec.name for spec in alone.nodes] == ["motion_generator", "virtual_imu", "dashboard"]
    assert dict(node(alone, "virtual_imu").remappings) == {"body_pose": "generated/body_pose"}
    assert node(alone, "dashboard").parameters["motion"] == "alone"
    assert "place_y" not in node(alone, "motion_generator").parameters
    beside = graph(mover="squat", generate=True, fms_score="from_assessment", dashboard=True)
    assert [spec.name for spec in beside.nodes] == ["replay", "fms", "motion_generator", "visualizer", "dashboard"]
    assert node(beside, "dashboard").parameters["motion"] == "beside"
    given = node(beside, "motion_generator").parameters
    assert given["fms_score"] == "from_assessment" and abs(given["place_y"]) > 1.0  # not inside the person
    assert not any(spec.name == "motion_generator" for spec in graph(mover="squat").nodes)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mover": "squat", "prompt": "walks"}, "give generate too"),
        ({"generate": True, "fms_score": "from_assessment"}, "give a source"),
        ({"generate": True, "lossless": True}, "no frames to lose"),
        ({"generate": True, "fms_score": "7"}, "fms_score='7' is unknown; allowed: any, 0, 1, 2, 3, from_assessment"),
        ({"generate": True, "prompt": "x" * 10_000}, "10000 characters"),
        ({"generate": True, "parameters": {"motion_generator": {"engine": "warp"}}}, "engine='warp' is unknown"),
        (
            {"mover": "squat", "generate": True, "prompt": "walks", "fms_score": "from_assessment"},
            "leave prompt empty",
        ),
    ],
)
def test_what_cannot_be_generated_is_said_before_anything_starts(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        graph(**options)


def test_sensors_have_the_errors_that_are_asked_for() -> None:
    given = node(graph(mover="squat", imu="pelvis", imu_preset="bmi270"), "virtual_imu").parameters
    assert given == {"sites": "pelvis", "preset": "bmi270"}
    assert "preset" not in node(graph(mover="squat", imu="pelvis"), "virtual_imu").parameters
    with pytest.raises(ValueError, match="imu_preset=bmi270 is for sensors that somebody wears; give imu too"):
        graph(mover="squat", imu_preset="bmi270")
    with pytest.raises(ValueError, match="virtual_imu: preset: sensor 'bmi999' is unknown; known: ideal, "):
        graph(mover="squat", imu="pelvis", imu_preset="bmi999")


def test_a_prefix_reaches_all_who_name_frames() -> None:
    built = graph(source="0", imu="pelvis", visualize=True, subject_prefix="lab_")
    named = [spec.name for spec in built.nodes if spec.parameters.get("subject_prefix") == "lab_"]
    assert named == ["virtual_imu", "visualizer"]


def test_lifecycle_nodes_can_be_left_to_their_services() -> None:
    built = graph(source="0", autostart=False)
    waiting = [spec.name for spec in built.nodes if spec.parameters.get("autostart") is False]
    assert waiting == [spec.name for spec in built.nodes if spec.lifecycle]


def test_a_namespace_moves_every_node() -> None:
    assert [spec.full_name for spec in graph(source="0", namespace="/rig_1/").nodes] == [
        "/rig_1/camera",
        "/rig_1/pose",
        "/rig_1/fms",
    ]
    with pytest.raises(ValueError, match="no ROS namespace"):
        graph(source="0", namespace="rig 1")


def test_files_arguments_and_explicit_parameters_in_that_order(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({"camera": {"ros__parameters": {"fps": 25.0, "source": "1", "jpeg_quality": 60}}}))
    built = graph(source="0", params_file=path, parameters={"camera": {"jpeg_quality": 70}})
    parameters = node(built, "camera").parameters
    assert (parameters["fps"], parameters["source"], parameters["jpeg_quality"]) == (25.0, "0", 70)


# `ros2 launch` runs with the Python of the ROS installation, which has these and none of the lock's libraries
OF_EVERY_ROS = {"yaml", "_yaml", "numpy"}
ONLY_THESE = """
import sys
class Others:
    def find_spec(self, name, path=None, target=None):
        root = name.partition(".")[0]
        if root not in sys.stdlib_module_names and root not in {allowed}:
            raise ModuleNotFoundError(f"{name} is not there", name=root)
sys.meta_path.insert(0, Others())
from pathlib import Path
from fitmotion_nodes.graph import GraphOptions, build_graph
options = GraphOptions(source="0", imu="all", visualize=True, dashboard=True, record="a.mcap")
print(len(build_graph(options, Path(sys.argv[1])).nodes))
"""


def test_a_workstations_launch_needs_none_of_the_locks_libraries() -> None:
    allowed = OF_EVERY_ROS | {"fitmotion_models", "fitmotion_nodes"}
    code = ONLY_THESE.replace("{allowed}", repr(allowed))
    done = subprocess.run([sys.executable, "-P", "-c", code, str(CONFIG)], capture_output=True, text=True)
    assert done.stdout.strip() == "7", done.stderr


def test_the_recorders_compressions_are_those_of_the_files() -> None:
    from fitmotion_models.exchange import mcap_files
    from fitmotion_nodes import recorder_parameters

    assert tuple(mcap_files.COMPRESSIONS) == recorder_parameters.COMPRESSIONS


def test_wrong_parameters_are_found_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("/**/camera: {ros__parameters: {jpeg_quality: 700}}")
    with pytest.raises(ParameterError, match="camera: jpeg_quality=700"):
        graph(source="0", params_file=path)
    with pytest.raises(ParameterError, match="not in this run; its nodes: replay, fms"):
        graph(mover="squat", parameters={"camera": {}})


def test_only_the_image_publisher_gets_the_large_segment() -> None:
    built = graph(source="0")
    assert set(node(built, "camera").environment) == set(PROFILE_VARIABLES)
    assert not node(built, "pose").environment
    namespace = "{http://www.eprosima.com}"
    profile = ElementTree.parse(built.environment[PROFILE_VARIABLES[0]])
    assert int(profile.findtext(f".//{namespace}initialAnnouncements/{namespace}count") or 0) == 30
    profile = ElementTree.parse(node(built, "camera").environment[PROFILE_VARIABLES[0]])
    assert int(profile.findtext(f".//{namespace}initialAnnouncements/{namespace}count") or 0) == 30
    assert int(profile.findtext(f".//{namespace}segment_size") or 0) == 64 * 1024 * 1024


def test_a_later_fast_dds_is_not_given_the_name_that_it_warns_of() -> None:
    built = graph({"ROS_DISTRO": "kilted"}, source="0")
    assert PROFILE_VARIABLES[0] not in built.environment | node(built, "camera").environment
    assert PROFILE_VARIABLES[1] in built.environment and PROFILE_VARIABLES[1] in node(built, "camera").environment
    assert set(PROFILE_VARIABLES) <= set(graph({"ROS_DISTRO": "jazzy"}, source="0").environment)


@pytest.mark.parametrize(
    "environment",
    [{PROFILE_VARIABLES[0]: "/mine.xml"}, {PROFILE_VARIABLES[1]: "/mine.xml"}, {"RMW_IMPLEMENTATION": "rmw_zenoh_cpp"}],
)
def test_the_users_profile_or_middleware_is_respected(environment: dict[str, str]) -> None:
    built = graph(environment, source="0")
    assert not node(built, "camera").environment
    assert not set(PROFILE_VARIABLES) & set(built.environment)


def test_discovery_stays_on_this_machine_unless_the_user_says_otherwise() -> None:
    variable = "ROS_AUTOMATIC_DISCOVERY_RANGE"
    assert graph(source="0").environment[variable] == "LOCALHOST"
    assert variable not in graph({variable: "SUBNET"}, source="0").environment


def test_a_lossless_source_waits_for_all_who_listen_to_the_bodies() -> None:
    built = graph(source="a.mp4", lossless=True, record="run.mcap", imu="pelvis", monitor="monitor")
    listeners = {spec.name for spec in built.nodes if spec.name not in ("camera", "pose")} | {"monitor"}
    assert set(node(built, "camera").parameters["wait_for"].split(",")) == listeners
    assert node(graph(mover="squat", lossless=True), "replay").parameters["wait_for"] == "fms"
    assert node(graph(mover="squat", monitor="monitor"), "replay").parameters["wait_for"] == "fms"


def test_shipped_overrides_are_valid_and_really_override() -> None:
    for spec in graph(source="0").nodes:
        for name, value in overrides_for(spec.full_name, [CONFIG / "live.yaml"]).items():
            assert getattr(spec.kind(), name) != value, f"{spec.name}.{name} repeats the default"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("camera: [1, 2]", "/camera holds [1, 2]"),
        ("just words", "'just words'"),
        ("a: b: c", "not YAML (line 1)"),
        ("camera: {ros__parameters: 3}", "ros__parameters of /camera holds 3"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError) as caught:
        overrides_for("/camera", [path])
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


SECTIONS = """
/**: {ros__parameters: {a: 1, b: 1, c: 1, d: 1, nested: {deep: 1}}}
/*/camera: {ros__parameters: {b: 2}}
/**/camera: {ros__parameters: {c: 3}}
rig_1: {camera: {ros__parameters: {d: 4}}}
/camera: {ros__parameters: {d: 5}}
"""


@pytest.mark.parametrize("full_name", ["/camera", "/rig_1/camera", "/rig_1/left/camera", "/rig_1/pose"])
def test_sections_match_as_in_rcl(tmp_path: Path, full_name: str) -> None:
    """The same file, given to a real node of that name, gives it the same parameters."""
    rclpy = pytest.importorskip("rclpy")
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    path = tmp_path / "sections.yaml"
    path.write_text(SECTIONS)
    context = rclpy.Context()
    rclpy.init(context=context, args=["--ros-args", "--params-file", str(path), "--disable-external-lib-logs"])
    namespace, _, name = full_name.rpartition("/")
    made = rclpy.create_node(
        name, namespace=namespace or "/", context=context, automatically_declare_parameters_from_overrides=True
    )
    try:
        expected = {key: value.value for key, value in made.get_parameters_by_prefix("").items()}
    finally:
        made.destroy_node()
        rclpy.shutdown(context=context)
    ours = overrides_for(full_name, [path])
    assert ours == {key: value for key, value in expected.items() if key in ours}
    assert set(expected) - set(ours) <= {"use_sim_time", "start_type_description_service"}


def test_a_process_keeps_to_one_thread_unless_the_user_says_otherwise() -> None:
    assert graph(source="0").environment["OPENCV_FOR_THREADS_NUM"] == "1"
    assert "OPENBLAS_NUM_THREADS" not in graph({"OPENBLAS_NUM_THREADS": "4"}, source="0").environment
