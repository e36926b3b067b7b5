"""The graph of several cameras."""

from pathlib import Path

import pytest
from tests.models.pose.rigs import ring

from fitmotion_models.pose.rig_files import write_rig
from fitmotion_nodes.graph import Graph, GraphOptions, NodeSpec, build_graph
from fitmotion_nodes.parameters import ParameterError

CONFIG = Path(__file__).resolve().parents[2] / "launch" / "config"


@pytest.fixture
def graph(tmp_path):
    path = tmp_path / "rig.toml"
    write_rig(path, ring(3))

    def build(*sources: str, **options: object) -> Graph:
        given = {"calibration": str(path), **options}
        return build_graph(GraphOptions(sources=sources, **given), CONFIG, {})  # type: ignore[arg-type]

    return build


def node(built: Graph, name: str) -> NodeSpec:
    return next(spec for spec in built.nodes if spec.name == name)


def test_each_camera_has_a_pose_node_beside_it_and_one_node_makes_the_body(graph) -> None:
    built = graph("a_cam03.mp4", "a_cam01.mp4", namespace="rig_1", subject="anna", visualize=True)
    assert [spec.full_name for spec in built.nodes] == [
        "/rig_1/cam1/camera_1", "/rig_1/cam2/camera_2", "/rig_1/cam1/pose_1", "/rig_1/cam2/pose_2",
        "/rig_1/triangulation", "/rig_1/fms", "/rig_1/visualizer",
    ]  # fmt: skip
    assert built.namespace == "/rig_1"
    assert [spec.name for spec in built.nodes if spec.ends_run] == ["camera_1"]
    triangulation = node(built, "triangulation").parameters
    assert (triangulation["cameras"], triangulation["subject"]) == ("cam03,cam01", "anna")
    assert triangulation["topics"] == "/rig_1/cam1/skeleton_2d,/rig_1/cam2/skeleton_2d"
    assert not node(built, "pose_2").remappings and node(built, "pose_2").parameters["landmarks_only"]
    assert dict(node(built, "visualizer").remappings)["image_raw"] == "/rig_1/cam1/image_raw"


def test_files_begin_together_and_the_first_camera_gives_the_time(graph) -> None:
    built = graph("a", "b", "c", lossless=True)
    assert [node(built, f"camera_{n}").parameters["rig_role"] for n in (1, 2, 3)] == ["first", "other", "other"]
    assert dict(node(built, "camera_1").remappings)["skeleton_2d"] == "/skeleton_2d"
    assert "skeleton_2d" not in dict(node(built, "camera_2").remappings)
    assert all(dict(node(built, f"camera_{n}").remappings)["begin"] == "/begin" for n in (1, 2, 3))
    assert "rig_role" not in node(graph("0", "1", "2"), "camera_1").parameters


def test_a_parameter_of_the_cameras_is_one_of_each(graph) -> None:
    built = graph("a", "b", "c", parameters={"camera": {"jpeg_quality": 40}, "camera_2": {"jpeg_quality": 50}})
    assert [node(built, f"camera_{n}").parameters["jpeg_quality"] for n in (1, 2, 3)] == [40, 50, 40]
    assert node(built, "camera_1").parameters["fps"] == 30.0  # of live.yaml's section for cameras


@pytest.mark.parametrize(
    ("sources", "options", "said"),
    [
        (("a", "b"), {}, "2 videos, and calibration .* has 3 cameras"),
        (("a", "b"), {"calibration": ""}, "2 sources need the calibration"),
        (("a",), {}, "two or more sources"),
        (("a", "b", "c"), {"calibration": "nowhere.toml"}, "no such file"),
        (("a", "b", "c"), {"source": "d"}, "exactly one"),
    ],
)
def test_what_is_no_rig_is_said(graph, sources, options, said) -> None:
    with pytest.raises((ValueError, ParameterError), match=said):
        graph(*sources, **options)
