"""The part of the graph that a rig of cameras is: camera x N -> pose x N -> triangulation.

Each camera and its pose node are in a namespace of their own, cam1, cam2, ... Knows no ROS and starts nothing, as
`graph.py`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fitmotion_nodes.parameters import ParameterError, is_live_source
from fitmotion_nodes.triangulation_parameters import LEAST_CAMERAS, TriangulationParameters

if TYPE_CHECKING:
    from fitmotion_nodes.graph import NodeSpec

PREVIEW = "preview/compressed"
# what others call the pictures that are shown: the first camera's
_SHOWN = ("image_raw", "image_raw/compressed", PREVIEW, "camera_info")


def camera_namespace(number: int) -> str:
    """The namespace of a rig's camera, 0 for the first."""
    return f"cam{number + 1}"


def shown_images(root: str) -> tuple[tuple[str, str], ...]:
    """Remappings for whoever shows pictures: the first camera's. root: the run's namespace, "" or "/name"."""
    return tuple((name, f"{root}/{camera_namespace(0)}/{name}") for name in _SHOWN)


def check_rig(sources: Sequence[str], calibration: str) -> None:
    """Raises ValueError, one sentence, for sources that are not those of a rig with its calibration."""
    if len(sources) < LEAST_CAMERAS:
        raise ValueError(f"a rig has two or more sources; got {len(sources)}")
    if not calibration:
        raise ValueError(
            f"{len(sources)} sources need the calibration of their cameras; give --calibration, or make one with "
            "`./fitmotion calibrate`"
        )


def rig_nodes(
    sources: Sequence[str], calibration: str, root: str, camera: "NodeSpec", pose: "NodeSpec"
) -> tuple["NodeSpec", ...]:
    """The nodes of a rig, in the order of the data, their namespaces relative to root.

    camera, pose: as they are for one camera. Raises ParameterError for a calibration that does not fit the sources.
    """
    from fitmotion_models.pose.rig_files import read_rig

    try:
        check_rig(sources, calibration)
        rig = read_rig(calibration).of_sources(sources)
    except ValueError as error:
        raise ParameterError(str(error)) from None
    cameras = tuple(_camera(camera, sources, number, root) for number in range(len(sources)))
    poses = tuple(
        replace(
            pose,
            name=f"pose_{number + 1}",
            namespace=camera_namespace(number),
            remappings=(),
            parameters={**pose.parameters, "landmarks_only": True},
        )
        for number in range(len(sources))
    )
    shared = {key: pose.parameters[key] for key in ("lossless", "use_sim_time", "subject") if key in pose.parameters}
    triangulation = replace(
        pose,
        executable="triangulation",
        name="triangulation",
        kind=TriangulationParameters,
        lifecycle=False,
        remappings=(),
        parameters={**shared, "calibration_file": str(Path(calibration).expanduser()), "cameras": ",".join(rig.names)}
        | {"topics": ",".join(f"{root}/{camera_namespace(number)}/skeleton_2d" for number in range(len(sources)))},
    )
    return (*cameras, *poses, triangulation)


def _camera(camera: "NodeSpec", sources: Sequence[str], number: int, root: str) -> "NodeSpec":
    """The first camera decides when all begin, gives media time, and is acknowledged by the triangulation.

    Cameras that are live have begun already.
    """
    remappings = [("body_pose", f"{root}/body_pose"), ("begin", f"{root}/begin")]
    if number == 0:
        remappings.append(("skeleton_2d", f"{root}/skeleton_2d"))
    live = any(is_live_source(source) for source in sources)
    role = {} if live else {"rig_role": "first" if number == 0 else "other", "rig_cameras": len(sources)}
    return replace(
        camera,
        name=f"camera_{number + 1}",
        namespace=camera_namespace(number),
        parameters={
            **camera.parameters,
            "source": sources[number],
            "frame_id": f"{camera_namespace(number)}_optical_frame",
            **role,
        },
        remappings=(*camera.remappings, *remappings),
        ends_run=number == 0,
    )
