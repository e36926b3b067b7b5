"""launch/rviz/live.rviz against RViz's own names: its classes, their properties, and the topics that we publish."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "launch" / "rviz" / "live.rviz"

# class -> the names of its properties, as RViz 2 (Jazzy) declares them in rviz_common and rviz_default_plugins; every
# display has Class, Enabled, Name and Value besides
DISPLAYS = {
    "rviz_default_plugins/Grid": {
        "Alpha", "Cell Size", "Color", "Line Style", "Normal Cell Count", "Offset", "Plane", "Plane Cell Count",
        "Reference Frame",
    },
    "rviz_default_plugins/MarkerArray": {"Namespaces", "Topic"},
    "rviz_default_plugins/RobotModel": {
        "Alpha", "Collision Enabled", "Description File", "Description Source", "Description Topic", "Links",
        "Mass Properties", "TF Prefix", "Update Interval", "Visual Enabled",
    },
    "rviz_default_plugins/TF": {
        "Filter (blacklist)", "Filter (whitelist)", "Frame Timeout", "Frames", "Marker Scale", "Show Arrows",
        "Show Axes", "Show Names", "Tree", "Update Interval",
    },
    "rviz_default_plugins/Image": {"Max Value", "Median window", "Min Value", "Normalize Range", "Topic"},
}  # fmt: skip
NESTED = {
    "Line Style": {"Line Width", "Value"},
    "Offset": {"X", "Y", "Z"},
    "Mass Properties": {"Inertia", "Mass"},
    "Frames": {"All Enabled"},
    "Topic": {"Depth", "Durability Policy", "History Policy", "Reliability Policy", "Value"},
    "Description Topic": {"Depth", "Durability Policy", "History Policy", "Reliability Policy", "Value"},
    "Namespaces": set(),
}
CHOICES = {
    "Durability Policy": {"System Default", "Transient Local", "Volatile"},
    "History Policy": {"System Default", "Keep Last", "Keep All"},
    "Reliability Policy": {"System Default", "Reliable", "Best Effort"},
    "Description Source": {"Topic", "File"},
    "Plane": {"XY", "XZ", "YZ"},
}
PANELS = {"rviz_common/Displays", "rviz_common/Views", "rviz_common/Time", "rviz_common/Selection"}
TOOLS = {
    "rviz_default_plugins/Interact": {"Hide Inactive Objects"},
    "rviz_default_plugins/MoveCamera": set(),
    "rviz_default_plugins/Select": set(),
    "rviz_default_plugins/FocusCamera": set(),
    "rviz_default_plugins/Measure": {"Line color"},
}
ORBIT = {
    "Class", "Distance", "Enable Stereo Rendering", "Focal Point", "Focal Shape Fixed Size", "Focal Shape Size",
    "Invert Z Axis", "Name", "Near Clip Distance", "Pitch", "Target Frame", "Value", "Yaw",
}  # fmt: skip
# topic -> the class that can show it, and what the subscriber may ask of our publisher at most
OURS = {
    "markers": ("rviz_default_plugins/MarkerArray", "Reliable", "Volatile"),
    "robot_description": ("rviz_default_plugins/RobotModel", "Reliable", "Transient Local"),
    "overlay/compressed": ("rviz_default_plugins/Image", "Best Effort", "Volatile"),
}


@pytest.fixture(scope="module")
def config():
    return yaml.safe_load(FILE.read_text())


@pytest.fixture(scope="module")
def manager(config):
    return config["Visualization Manager"]


def test_displays_have_rvizs_own_classes_and_properties(manager) -> None:
    assert {display["Class"] for display in manager["Displays"]} == set(DISPLAYS)
    for display in manager["Displays"]:
        unknown = set(display) - DISPLAYS[display["Class"]] - {"Class", "Enabled", "Name", "Value"}
        assert not unknown, display["Name"]
        assert display["Enabled"] is display["Value"]
        for name, value in display.items():
            if isinstance(value, dict):
                assert set(value) <= NESTED[name], (display["Name"], name)
            for key, word in (value if isinstance(value, dict) else {name: value}).items():
                assert key not in CHOICES or word in CHOICES[key], (display["Name"], key)


def test_every_topic_is_one_of_ours_with_a_quality_that_fits(manager) -> None:
    topics = {}
    for display in manager["Displays"]:
        topic = display.get("Topic") or display.get("Description Topic")
        if topic:
            topics[topic["Value"]] = (display["Class"], topic["Reliability Policy"], topic["Durability Policy"])
    assert topics == OURS
    node = (ROOT / "fitmotion_nodes" / "fitmotion_nodes" / "visualizer.py").read_text()
    for topic in OURS:
        assert f'"{topic}"' in node  # relative there and here, so that a namespace moves both


def test_the_filter_hides_the_frames_inside_of_joints_and_no_others(manager) -> None:
    from fitmotion_models.skeleton.joint_sets import SMPL22
    from fitmotion_models.viewer.human_urdf import FRAMES_BETWEEN

    (display,) = [one for one in manager["Displays"] if one["Class"].endswith("/TF")]
    hidden = re.compile(display["Filter (blacklist)"])
    assert all(hidden.search(f"lab_anna/{name}") for name in FRAMES_BETWEEN)
    assert not any(hidden.search(f"lab_anna/{name}") for name in (*SMPL22.joints, "imu_left_wrist", "imu_chest"))


def test_the_rest_is_rvizs_too(config, manager) -> None:
    assert {panel["Class"] for panel in config["Panels"]} <= PANELS
    assert manager["Global Options"]["Fixed Frame"] == "world"
    assert set(manager["Global Options"]) <= {"Background Color", "Fixed Frame", "Frame Rate"}
    for tool in manager["Tools"]:
        assert set(tool) - {"Class"} <= TOOLS[tool["Class"]]
    view = manager["Views"]["Current"]
    assert view["Class"] == "rviz_default_plugins/Orbit" and set(view) <= ORBIT
    assert manager["Transformation"]["Current"]["Class"] == "rviz_default_plugins/TF"
    docks = {panel["Name"] for panel in config["Panels"]} | {display["Name"] for display in manager["Displays"]}
    geometry = {name for name, value in config["Window Geometry"].items() if isinstance(value, dict)}
    assert geometry <= docks


def test_colours_are_three_numbers(manager) -> None:
    text = FILE.read_text()
    for value in re.findall(r"[Cc]olor: (.+)", text):
        assert re.fullmatch(r"\d{1,3}; \d{1,3}; \d{1,3}", value), value


def rvizs_own_files() -> Iterator[Path]:
    """RViz's libraries and plugin lists where it is installed, else its sources in FITMOTION_ROS_SOURCES."""
    for prefix in filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(":")):
        yield from Path(prefix).glob("lib/librviz_*.so")
        yield from Path(prefix).glob("share/rviz_*/plugins*.xml")
    for folder in filter(None, os.environ.get("FITMOTION_ROS_SOURCES", "").split(":")):
        for suffix in ("cpp", "hpp", "xml"):
            yield from Path(folder).glob(f"rviz_*/**/*.{suffix}")


def test_rviz_itself_has_these_names(config, manager) -> None:
    text = b"".join(path.read_bytes() for path in rvizs_own_files())
    if not text:
        pytest.skip("RViz is not installed; FITMOTION_ROS_SOURCES may name a folder that has its sources")
    names = {name for properties in (*DISPLAYS.values(), *TOOLS.values(), ORBIT) for name in properties}
    names |= {name for properties in NESTED.values() for name in properties} | set(NESTED)
    names |= {word for words in CHOICES.values() for word in words} | set(manager["Global Options"])
    plugins = {*DISPLAYS, *TOOLS, manager["Views"]["Current"]["Class"], manager["Transformation"]["Current"]["Class"]}
    plugins |= {panel["Class"] for panel in config["Panels"]}
    # panels of rviz_common are classes by themselves, which the frame makes of their names without the package
    wanted = names | {name.removeprefix("rviz_common/") for name in plugins}
    assert not sorted(name for name in wanted if name.encode() not in text)
