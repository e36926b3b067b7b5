"""What a frame costs: the pose backend's call and the body estimate.

Run: ./fitmotion exec -- python tests/benchmarks/bench_pose.py VIDEO
"""

import sys
import time

import numpy as np

from fitmotion_models.pose.backends import make_backend
from fitmotion_models.pose.body_estimator import BodyEstimator
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.image_source import open_source


def main(spec: str) -> None:
    """Print the median and 95th percentile of both stages over a recording."""
    source, find = open_source(spec), make_backend()
    estimator = BodyEstimator(CameraModel.guess(source.width, source.height))
    calls, estimates = [], []
    while (frame := source.read()) is not None:
        image = np.ascontiguousarray(frame.image_bgr[:, :, ::-1])
        start = time.perf_counter()
        keypoints = find(image, frame.stamp)
        between = time.perf_counter()
        estimator.update(keypoints, frame.stamp)
        calls.append(between - start)
        estimates.append(time.perf_counter() - between)
    for name, values in (("pose call", calls), ("body estimate", estimates)):
        median, high = np.percentile(np.array(values) * 1e3, [50, 95])
        sys.stdout.write(f"{name:14} p50 {median:6.2f} ms  p95 {high:6.2f} ms  over {len(values)} frames\n")


if __name__ == "__main__":
    main(sys.argv[1])
