"""What has to be put right around a build: the CMake files of the ROS wheels, tf2_msgs, first lines of executables.

Standard library only.
"""

from __future__ import annotations

import re
from pathlib import Path

from fitmotion_nodes.setup_progress import write_whole

# Paths of the machine that the wheels were built on, as their CMake export files name them.
_WHEEL_PURELIB = re.compile(r"/opt/python/cp3\d+-cp3\d+/lib/python3\.\d+/site-packages")
_WHEEL_INCLUDE = re.compile(r"/opt/python/cp3\d+-cp3\d+/include/python3\.\d+")

LONGEST_FIRST_LINE = 127  # bytes; what Linux before 5.1 reads of it

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


def repair_first_lines(folder: Path, python: Path) -> list[Path]:
    """Make the executables under `folder` start `python` where its path is too long or has a space.

    A `#!` line can hold neither; the shell can. setuptools writes it all the same. Returns the files that were changed.
    """
    changed = []
    for path in sorted(folder.glob("*")):
        first, _, rest = path.read_text(errors="surrogateescape").partition("\n") if path.is_file() else ("", "", "")
        named = first.removeprefix("#!").strip('"')
        if named == str(python) and (" " in named or len(first) > LONGEST_FIRST_LINE):
            # Read by the shell as a command that replaces it, and by Python as a string.
            start = f"#!/bin/sh\n'''exec' \"{named}\" \"$0\" \"$@\"\n' '''\n"
            write_whole(path, start + rest)
            changed.append(path)
    return changed
