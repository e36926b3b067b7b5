#!/bin/bash
# Every command of the container finds ROS 2 and FitMotion's packages, as in a shell that has sourced both.
set -e
source /opt/ros/jazzy/setup.bash
source /opt/fitmotion/ros2_ws/install/setup.bash
exec "$@"
