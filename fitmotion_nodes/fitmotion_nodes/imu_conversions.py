"""Conversions of virtual sensors to messages: part of the one border between ROS messages and FitMotion's values."""

from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from sensor_msgs.msg import Imu, MagneticField
from std_msgs.msg import Header

from fitmotion_models.imu import ImuSamples, Site
from fitmotion_models.imu.orientation import Orientations
from fitmotion_models.skeleton.rotations import Float64
from fitmotion_nodes.conversions import NANOSECONDS
from fitmotion_nodes.message_bytes import FloatsForm

# sensor_msgs/Imu: orientation xyzw and its covariance, angular velocity and its, linear acceleration and its
_IMU_WIDTH = 4 + 9 + 3 + 9 + 3 + 9
_NOT_REPORTED = -1.0  # first number of a covariance: there is no such quantity (sensor_msgs/Imu, REP-145)


def sample_stamp_to_msg(number: int, rate_hz: float) -> Time:
    """The time of a sample that is counted from 0 at this rate, to the nearest nanosecond."""
    over, under = rate_hz.as_integer_ratio()
    # whole numbers, as a float of seconds resolves a quarter of a microsecond only
    nanoseconds = (2 * number * NANOSECONDS * under + over) // (2 * over)
    return Time(sec=nanoseconds // NANOSECONDS, nanosec=nanoseconds % NANOSECONDS)


def imu_form(frame_id: str) -> FloatsForm:
    """A sensor's sensor_msgs/Imu; see `imu_numbers`."""
    return FloatsForm(Imu(header=Header(frame_id=frame_id)))


def imu_numbers(samples: ImuSamples, orientations: Orientations | None = None) -> Float64:
    """(M, S, 37) what `imu_form` takes of each sample: as REP-145's `data`, without orientations as its `data_raw`."""
    count, sites = samples.specific_force.shape[:2]
    numbers = np.zeros((count, sites, _IMU_WIDTH))
    if orientations is None:
        numbers[..., 3] = 1.0  # no turn
        numbers[..., 4] = _NOT_REPORTED
    else:
        numbers[..., :4] = orientations.rotations
        numbers[..., 4:13] = orientations.covariance.reshape(count, sites, 9)
    numbers[..., 13:16] = samples.angular_velocity
    numbers[..., 16:25] = samples.rate_covariance.reshape(count, sites, 9)
    numbers[..., 25:28] = samples.specific_force
    numbers[..., 28:37] = samples.force_covariance.reshape(count, sites, 9)
    return numbers


def magnetic_form(frame_id: str) -> FloatsForm:
    """A sensor's sensor_msgs/MagneticField; see `magnetic_numbers`."""
    return FloatsForm(MagneticField(header=Header(frame_id=frame_id)))


def magnetic_numbers(samples: ImuSamples) -> Float64:
    """(M, S, 12) what `magnetic_form` takes of each sample, as REP-145's `mag`; there must be a field."""
    assert samples.magnetic_field is not None and samples.field_covariance is not None
    return np.concatenate(
        [samples.magnetic_field, samples.field_covariance.reshape(*samples.magnetic_field.shape[:2], 9)], axis=-1
    )


def mounts_to_msgs(sites: Sequence[Site], offsets: Float64, body: str, stamp: Time) -> list[TransformStamped]:
    """The sensors on their bones as transforms from `<body>/<joint>` to `<body>/imu_<site>`.

    offsets: (S, 3) metres, the sensors in their bones' frames. body: subject with the prefix of its frames.
    """
    return [
        TransformStamped(
            header=Header(stamp=stamp, frame_id=f"{body}/{site.bone}"),
            child_frame_id=imu_frame(body, site),
            transform=Transform(translation=_vector(offset), rotation=_quaternion(site.mount_rotation)),
        )
        for site, offset in zip(sites, offsets, strict=True)
    ]


def imu_frame(body: str, site: Site) -> str:
    """Name of a sensor's frame. body: subject with the prefix of its frames."""
    return f"{body}/imu_{site.name}"


def _vector(values: Float64) -> Vector3:
    x, y, z = values.tolist()
    return Vector3(x=x, y=y, z=z)


def _quaternion(values: Float64) -> Quaternion:
    x, y, z, w = values.tolist()
    return Quaternion(x=x, y=y, z=z, w=w)
