"""What a ROS 2 from PyPI lacks before packages can be built with it. Standard library only."""

from __future__ import annotations

import re
from pathlib import Path

from fitmotion_nodes.setup_progress import write_whole

# Paths of the machine that the wheels were built on, as their CMake export files name them.
_WHEEL_PURELIB = re.compile(r"/opt/python/cp3\d+-cp3\d+/lib/python3\.\d+/site-packages")
_WHEEL_INCLUDE = re.compile(r"/opt/python/cp3\d+-cp3\d+/include/python3\.\d+")

# ROS 2's own tf2_msgs has more types; a type's hash depends on its fields alone (REP-2011), so this is the same type.
_TF2_MSGS = {
    "package.xml": """<?xml version="1.0"?>
<package format="3">
  <name>tf2_msgs</name>
  <version>0.36.0</version>
  <description>TFMessage, for a ROS 2 from PyPI, which lacks tf2_msgs.</description>
  <maintainer email="fitmotion@users.noreply.github.com">FitMotion maintainers</maintainer>
  <license>BSD-3-Clause</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>geometry_msgs</depend>
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
""",
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.16)
project(tf2_msgs)
find_package(ament_cmake REQUIRED)
find_package(geometry_msgs REQUIRED)
find_package(rosidl_default_generators REQUIRED)
rosidl_generate_interfaces(${PROJECT_NAME} "msg/TFMessage.msg" DEPENDENCIES geometry_msgs)
ament_export_dependencies(rosidl_default_runtime)
ament_package()
""",
    "msg/TFMessage.msg": "geometry_msgs/TransformStamped[] transforms\n",
}


def repair_cmake_exports(prefix: Path, purelib: str, include: str) -> list[Path]:
    """Make the CMake files of the ROS wheels under `prefix`/share name this environment's folders.

    The wheels were built in one step and carry that machine's Python paths. Returns the files that were changed; a
    second call changes none.
    """
    changed = []
    for path in sorted((prefix / "share").rglob("*.cmake")):
        before = path.read_text()
        after = _WHEEL_INCLUDE.sub(lambda _: include, _WHEEL_PURELIB.sub(lambda _: purelib, before))
        if after != before:
            write_whole(path, after)
            changed.append(path)
    return changed


def write_tf2_msgs(folder: Path) -> None:
    """Write a package tf2_msgs with the one type TFMessage into `folder`; untouched where it is already there."""
    for name, text in _TF2_MSGS.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text)
