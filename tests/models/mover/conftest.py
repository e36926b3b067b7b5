"""Measurements on positions alone, by formulas that share nothing with the mover's own."""

from dataclasses import dataclass

import numpy as np
import pytest

from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.motion_clip import MotionClip


def angle_deg(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Angle between vectors (..., 3) by the half-angle formula of Kahan, degrees."""
    u = a / np.linalg.norm(a, axis=-1, keepdims=True)
    v = b / np.linalg.norm(b, axis=-1, keepdims=True)
    return np.degrees(2.0 * np.arctan2(np.linalg.norm(u - v, axis=-1), np.linalg.norm(u + v, axis=-1)))


@dataclass(frozen=True)
class Measured:
    """One frame, or all (T, ...), seen as points."""

    positions: np.ndarray
    feet: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        """A joint's position, or `mid_hip` and the like."""
        if name.startswith("mid_"):
            return 0.5 * (self[name.replace("mid", "left")] + self[name.replace("mid", "right")])
        return self.positions[..., SMPL22.index(name), :]

    def heel(self, side: str) -> np.ndarray:
        return self.feet[..., 0 if side == "left" else 2, :]

    def toe(self, side: str) -> np.ndarray:
        return self.feet[..., 1 if side == "left" else 3, :]

    def depth(self, side: str) -> np.ndarray:
        return (self[f"{side}_hip"] - self[f"{side}_knee"])[..., 2]

    def lean_deg(self, bottom: str, top: str) -> np.ndarray:
        return angle_deg(self[top] - self[bottom], np.array([0.0, 0.0, 1.0]))

    def sagittal_deg(self, bottom: str, top: str) -> np.ndarray:
        line = self[top] - self[bottom]
        return np.degrees(np.angle(line[..., 2] + 1j * line[..., 0]))

    def valgus(self, side: str) -> np.ndarray:
        """Twice the area of the triangle ankle, toe, knee on the floor over its base: the knee's height over it."""
        ankle, toe, knee = (point[..., :2] for point in (self[f"{side}_ankle"], self.toe(side), self[f"{side}_knee"]))
        other = self["right_ankle" if side == "left" else "left_ankle"][..., :2]
        base = toe - ankle

        def double_area(point: np.ndarray) -> np.ndarray:
            return base[..., 0] * (point - ankle)[..., 1] - base[..., 1] * (point - ankle)[..., 0]

        return double_area(knee) / np.linalg.norm(base, axis=-1) * np.sign(double_area(other))

    def knee_flexion_deg(self, side: str) -> np.ndarray:
        hip, knee, ankle = (self[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
        return angle_deg(knee - hip, ankle - knee)

    def elbow_flexion_deg(self, side: str) -> np.ndarray:
        shoulder, elbow, wrist = (self[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
        return angle_deg(elbow - shoulder, wrist - elbow)


def measured(clip: MotionClip, index: int | slice = slice(None)) -> Measured:
    return Measured(clip.positions[index].astype(np.float64), clip.feet[index].astype(np.float64))


@pytest.fixture
def measure():
    return measured
