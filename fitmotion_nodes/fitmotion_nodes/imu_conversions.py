"""Conversions of virtual sensors to messages: part of the one border between ROS messages and FitMotion's values."""

from collections.abc import Sequence

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
from sensor_msgs.msg import Imu
from std_msgs.msg import Header

from fitmotion_models.imu import ImuSamples, Site
from fitmotion_models.skeleton.rotations import Float64
from fitmotion_nodes.conversions import NANOSECONDS

_NO_ORIENTATION = -1.0  # first number of a covariance: the quantity is not reported (sensor_msgs/Imu, REP-145)


def sample_stamp_to_msg(number: int, rate_hz: float) -> Time:
    """The time of a sample that is counted from 0 at this rate, to the nearest nanosecond."""
    over, under = rate_hz.as_integer_ratio()
    # whole numbers, as a float of seconds resolves a quarter of a microsecond only
    nanoseconds = (2 * number * NANOSECONDS * under + over) // (2 * over)
    return Time(sec=nanoseconds // NANOSECONDS, nanosec=nanoseconds % NANOSECONDS)


def imu_msg(frame_id: str) -> Imu:
    """A sensor's message before its first reading, as REP-145's `data_raw`, which has no orientation."""
    msg = Imu(header=Header(frame_id=frame_id))
    msg.orientation_covariance[0] = _NO_ORIENTATION
    return msg


class ImuReadings:
    """Samples as messages take them fastest: plain numbers and flat covariances."""

    def __init__(self, samples: ImuSamples) -> None:
        count, sites = samples.specific_force.shape[:2]
        self._force, self._rate = samples.specific_force.tolist(), samples.angular_velocity.tolist()
        self._force_covariance = samples.force_covariance.reshape(count, sites, 9)
        self._rate_covariance = samples.rate_covariance.reshape(count, sites, 9)

    def put(self, msg: Imu, stamp: Time, sample: int, site: int) -> None:
        """Overwrite a sensor's message: publishing copies, and a new one would cost several times as much."""
        msg.header.stamp = stamp
        force, rate = msg.linear_acceleration, msg.angular_velocity
        force.x, force.y, force.z = self._force[sample][site]
        rate.x, rate.y, rate.z = self._rate[sample][site]
        msg.linear_acceleration_covariance = self._force_covariance[sample, site]
        msg.angular_velocity_covariance = self._rate_covariance[sample, site]


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
