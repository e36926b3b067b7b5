"""The ament_python package fitmotion_nodes; colcon reads this file and setup.cfg."""

from setuptools import find_packages, setup

PACKAGE = "fitmotion_nodes"
NODES = (
    "camera",
    "pose",
    "triangulation",
    "fms",
    "replay",
    "motion_generator",
    "virtual_imu",
    "visualizer",
    "dashboard",
    "recorder",
)

setup(
    name=PACKAGE,
    version="0.1.0",
    description="The nodes of FitMotion: camera, pose, scoring and replay, and the command line that starts them.",
    maintainer="FitMotion maintainers",
    maintainer_email="fitmotion@users.noreply.github.com",
    license="Apache-2.0",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: ["**/*.xml", "**/*.yaml", "py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    entry_points={"console_scripts": [f"{node} = {PACKAGE}.{node}:main" for node in NODES]},
    zip_safe=False,
)
