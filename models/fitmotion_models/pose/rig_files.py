"""Calibrations of rigs: Qualisys (.qca.txt), Pose2Sim (Calib.toml), and a YAML a camera (ROS camera_info and place)."""

import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from fitmotion_models.pose.camera_model import FISHEYE, CameraModel
from fitmotion_models.pose.rig import Rig, RigCamera

KNOWN_FORMATS = "Qualisys .qca.txt, Pose2Sim .toml, or a folder with a YAML a camera (camera_info and world_pose)"
# Qualisys writes pixels in 64ths, millimetres, and cameras that look along -z with y up
_SUBPIXELS, _MILLIMETRES = 64.0, 1000.0
_QUALISYS_TO_OPTICAL = np.diag([1.0, -1.0, -1.0])
_YAML_SUFFIXES = (".yaml", ".yml")


def read_rig(path: str | Path) -> Rig:
    """Read a rig's calibration: Qualisys .qca.txt, Pose2Sim .toml, or a folder (or one file) of YAML, one a camera.

    Raises ValueError with one sentence that names the file and what is wrong with it.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise ValueError(f"calibration {path}: no such file; give {KNOWN_FORMATS}")
    try:
        if path.is_dir():
            return _read_folder(path)
        if path.suffix == ".toml":
            return _read_toml(path)
        if path.name.endswith((".qca.txt", ".qca", ".xml")):
            return _read_qualisys(path)
        if path.suffix in _YAML_SUFFIXES:
            return Rig((_read_yaml(path),), str(path))
    except (KeyError, TypeError, AttributeError, OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"calibration {path} lacks {error}, or it is not what it should be; known: {KNOWN_FORMATS}"
        ) from error
    except (tomllib.TOMLDecodeError, ElementTree.ParseError, yaml.YAMLError) as error:
        raise ValueError(f"calibration {path} cannot be read: {' '.join(str(error).split())}") from error
    raise ValueError(f"calibration {path} has an unknown format; known: {KNOWN_FORMATS}")


def write_rig(path: str | Path, rig: Rig) -> None:
    """Write a rig as Pose2Sim's .toml, or, for a path without an ending, as a folder with a YAML a camera.

    Raises ValueError for another ending, FileExistsError where something is there already.
    """
    path = Path(path)
    if path.suffix == ".toml":
        with path.open("x", encoding="utf-8") as stream:
            stream.write(_toml_text(rig))
    elif not path.suffix:
        path.mkdir(parents=True)
        for camera in rig.cameras:
            (path / f"{camera.name}.yaml").write_text(_yaml_text(camera), encoding="utf-8")
    else:
        raise ValueError(f"{path}: a rig is written as .toml, or into a new folder (a path without an ending)")


def _read_qualisys(path: Path) -> Rig:
    """Qualisys Track Manager's XML.

    Its distortion coefficients are OpenCV's as they stand (some converters divide them by 64 with the rest: a
    chequerboard calibration of the same cameras gives -0.05 and 0.15, as the file does).
    """
    cameras = []
    for number, camera in enumerate(ElementTree.parse(path).getroot().iter("camera"), start=1):
        inner, outer, view = (camera.find(tag) for tag in ("intrinsic", "transform", "fov_video"))
        if inner is None or outer is None:
            continue  # a marker camera that saw nothing of the calibration
        if view is None:
            view = camera.find("fov_marker")
        name = camera.get("serial") or f"cam{number:02}"
        cameras.append(_qualisys_camera(name, inner.attrib, outer.attrib, {} if view is None else view.attrib))
    return Rig(tuple(cameras), str(path))


def _qualisys_camera(name: str, inner: dict[str, str], outer: dict[str, str], view: dict[str, str]) -> RigCamera:
    left, top = float(view["left"]), float(view["top"])
    width, height = int(float(view["right"]) - left) + 1, int(float(view["bottom"]) - top) + 1
    focal_u, focal_v, centre_u, centre_v = (
        float(inner[key]) / _SUBPIXELS for key in ("focalLengthU", "focalLengthV", "centerPointU", "centerPointV")
    )
    # the file says "tangental"
    keys = (
        "radialDistortion1",
        "radialDistortion2",
        "tangentalDistortion1",
        "tangentalDistortion2",
        "radialDistortion3",
    )
    distortion = tuple(float(inner.get(key, 0.0)) for key in keys)
    model = CameraModel(width, height, focal_u, focal_v, centre_u - left, centre_v - top, distortion)
    rows = np.array([[float(outer[f"r{row}{column}"]) for column in (1, 2, 3)] for row in (1, 2, 3)])
    rotation = _QUALISYS_TO_OPTICAL @ rows
    position = np.array([float(outer[axis]) for axis in "xyz"]) / _MILLIMETRES
    return RigCamera(name, model, rotation, -rotation @ position)


def _read_toml(path: Path) -> Rig:
    """Pose2Sim's Calib.toml: OpenCV's rotation vector and translation (metres) from the world to the camera."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    cameras = []
    for key, entry in data.items():
        if key == "metadata" or not isinstance(entry, dict) or "matrix" not in entry:
            continue
        matrix = np.array(entry["matrix"], dtype=np.float64)
        lens = FISHEYE if entry.get("fisheye", False) else "plumb_bob"
        width, height = (round(float(side)) for side in entry["size"])
        model = CameraModel(
            width, height,
            matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2],
            tuple(float(value) for value in entry["distortions"]), lens,
        )  # fmt: skip
        rotation = Rotation.from_rotvec(np.array(entry["rotation"], dtype=np.float64)).as_matrix()
        cameras.append(RigCamera(str(entry.get("name", key)), model, rotation, np.array(entry["translation"])))
    return Rig(tuple(cameras), str(path))


def _read_folder(path: Path) -> Rig:
    files = sorted(file for file in path.iterdir() if file.suffix in _YAML_SUFFIXES)
    if not files:
        raise ValueError(f"calibration {path}: the folder holds no YAML; it needs one a camera")
    return Rig(tuple(_read_yaml(file) for file in files), str(path))


def _read_yaml(path: Path) -> RigCamera:
    """ROS camera_info with `world_pose`: where the camera's optical frame is in the world, as a geometry_msgs/Pose."""
    model = CameraModel.from_file(path)
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "world_pose" not in data:
        raise ValueError(
            f"calibration {path} has no world_pose (position and orientation of the camera's optical frame in the "
            "world); calibrate the rig with `fitmotion calibrate`"
        )
    pose = data["world_pose"]
    position = np.array([float(pose["position"][axis]) for axis in "xyz"])
    xyzw = np.array([float(pose["orientation"][axis]) for axis in "xyzw"])
    if not abs(np.linalg.norm(xyzw) - 1.0) < 1e-3:
        raise ValueError(f"calibration {path}: world_pose.orientation is no unit quaternion (x, y, z, w)")
    rotation = Rotation.from_quat(xyzw).as_matrix().T
    return RigCamera(str(data.get("camera_name", path.stem)), model, rotation, -rotation @ position)


def _toml_text(rig: Rig) -> str:
    parts = []
    for camera in rig.cameras:
        model, vector = camera.model, Rotation.from_matrix(camera.rotation).as_rotvec()
        distortion = model.distortion[:4] if not any(model.distortion[4:]) else model.distortion
        parts.append(
            f'[{_toml_key(camera.name)}]\nname = "{camera.name}"\nsize = {_numbers((model.width, model.height))}\n'
            f"matrix = [{', '.join(_numbers(row) for row in model.matrix)}]\n"
            f"distortions = {_numbers(distortion or (0.0,) * 4)}\nrotation = {_numbers(vector)}\n"
            f"translation = {_numbers(camera.translation)}\n"
            f"fisheye = {'true' if model.distortion_model == FISHEYE else 'false'}\n"
        )
    return "\n".join([*parts, "[metadata]\nadjusted = false\nerror = 0.0\n"])


def _toml_key(name: str) -> str:
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isalnum() and plain.isascii() else f'"{name}"'


def _numbers(values: Any) -> str:
    return f"[{', '.join(repr(float(value)) for value in values)}]"


def _yaml_text(camera: RigCamera) -> str:
    model, orientation = camera.model, Rotation.from_matrix(camera.rotation.T).as_quat()
    content: dict[str, Any] = {
        "image_width": model.width,
        "image_height": model.height,
        "camera_name": camera.name,
        "camera_matrix": _matrix(model.matrix),
        "distortion_model": model.distortion_model,
        "distortion_coefficients": _matrix(np.array([model.distortion])),
        "rectification_matrix": _matrix(np.eye(3)),
        "projection_matrix": _matrix(np.column_stack([model.matrix, np.zeros(3)])),
        "world_pose": {
            "position": dict(zip("xyz", map(float, camera.position), strict=True)),
            "orientation": dict(zip("xyzw", map(float, orientation), strict=True)),
        },
    }
    text: str = yaml.safe_dump(content, sort_keys=False)
    return text


def _matrix(values: NDArray[np.float64]) -> dict[str, Any]:
    return {"rows": values.shape[0], "cols": values.shape[1], "data": [float(value) for value in values.ravel()]}
