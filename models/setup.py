"""The ament_python package fitmotion_models; colcon reads this file and setup.cfg."""

from setuptools import find_packages, setup

PACKAGE = "fitmotion_models"

setup(
    name=PACKAGE,
    version="0.1.0",
    description="The models of a moving human: skeleton, pose, movement scoring, motion, sensors. No ROS inside.",
    maintainer="FitMotion maintainers",
    maintainer_email="fitmotion@users.noreply.github.com",
    license="Apache-2.0",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    # Tables, weights and cards beside the code, read by importlib.resources.
    package_data={PACKAGE: ["**/*.yaml", "**/*.json", "**/*.csv", "**/*.npz", "**/*.onnx", "**/*.md", "**/py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    zip_safe=False,
)
