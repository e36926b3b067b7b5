"""Impaired gait made from a real walk by stated rules: what the recordings lack, with a side and a severity.

No patient was recorded for it: a clip shows what the literature says of an impairment, on the body of somebody healthy.
The rules, and where their values at full severity come from:

- Times. In hemiparetic gait the affected leg stands shorter and swings longer; swing over stance time, affected over
  healthy side, is .9 to 1.1 in the healthy and above 1.5 in severe cases (Patterson et al. 2008, Arch Phys Med Rehabil
  89:304). An antalgic walker spends as little time as possible on the painful leg: 40 % of the cycle instead of 60 % in
  a marked case, and the healthy foot hurries down (Magee, Orthopedic Physical Assessment, chapter 14).
- Steps. Antalgic: the healthy side's is short, for the painful leg stands short (Magee). Hemiparetic: the affected
  side's is mostly the longer one, up to 60 % of the stride (Balasubramanian et al. 2007, Arch Phys Med Rehabil 88:43).
  Short steps at a kept rhythm, less on one side, with little arm swing and a stoop, are those of early Parkinson's
  disease (Morris et al. 1996, Brain 119:551; arms: Mirelman et al. 2016, Mov Disord 31:1527).
- Swing. A stiff knee bends by a third to a half less in hemiparetic swing, after a weak push-off; hip hiking and
  circumduction take the foot over the floor instead (Kerrigan et al. 2000, Am J Phys Med Rehabil 79:247; Balaban and
  Tok 2014, PM&R 6:635).
- Pelvis and trunk. Weak hip abductors let the pelvis drop on the healthy side while the affected leg stands, and the
  trunk leans over the standing leg to relieve it (Trendelenburg and Duchenne; Reininga et al. 2012, J Neuroeng Rehabil
  9:3; the lean over a painful hip: Magee). In hemiparetic swing the trunk leans to the healthy side.
- Arm. The hemiparetic arm hangs bent before the body and hardly swings (Balaban and Tok 2014).

The directions are the literature's. Where it gives a range, and for degrees that it only describes, the value is this
project's choice: large enough to be seen at full severity. Severity goes evenly from nothing, 0, to the table's, 1.
"""

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets import gait_edit as edit
from fitmotion_models.datasets.canonical import placed, to_canonical
from fitmotion_models.datasets.gait_phases import SIDES, Stance, gait_of, stances_of
from fitmotion_models.motion.features import FPS
from fitmotion_models.skeleton.joint_sets import FEET, SMPL22
from fitmotion_models.skeleton.kinematics import REST_OFFSETS
from fitmotion_models.skeleton.motion_clip import MotionClip
from fitmotion_models.skeleton.rotations import Float64, from_matrix


class Impairment(StrEnum):
    """What is wrong with the walk."""

    LIMP = "limp"
    HEMIPARETIC = "hemiparetic"
    ANTALGIC = "antalgic"
    SHORT_STEP = "short_step"


@dataclass(frozen=True)
class GaitRules:
    """What an impairment changes; the values here change nothing.

    duration: of the whole, times. support_ratio: time on the healthy foot alone over time on the affected one alone,
    times what it was. affected_step, healthy_step: length, times what it was. affected_knee, healthy_knee:
    how much of its bending a knee keeps in swing, where the foot does not touch the floor; circumduction_m: how far out
    such a leg swings at most, metres. Degrees at their peaks: hike (pelvis up on the affected side in its swing), drop
    (pelvis down on the healthy side while the affected leg stands), lean (trunk over the affected leg while it stands),
    lean_away (from it in its swing), stoop (throughout), elbow and inward (the affected arm). dip_m: how much lower the
    body gets over the affected leg, metres. affected_arm, healthy_arm: swing, times what it was.
    """

    duration: float = 1.0
    support_ratio: float = 1.0
    affected_step: float = 1.0
    healthy_step: float = 1.0
    affected_knee: float = 1.0
    healthy_knee: float = 1.0
    circumduction_m: float = 0.0
    hike: float = 0.0
    drop: float = 0.0
    lean: float = 0.0
    lean_away: float = 0.0
    stoop: float = 0.0
    dip_m: float = 0.0
    affected_arm: float = 1.0
    healthy_arm: float = 1.0
    elbow: float = 0.0
    inward: float = 0.0

    def at(self, severity: float) -> "GaitRules":
        """The rules of a milder case: evenly between none and these."""
        none = GaitRules()
        values = {
            field.name: getattr(none, field.name) + severity * (getattr(self, field.name) - getattr(none, field.name))
            for field in fields(self)
        }
        return GaitRules(**values)


RULES: MappingProxyType[Impairment, GaitRules] = MappingProxyType(
    {
        Impairment.LIMP: GaitRules(
            duration=1.1, support_ratio=1.3, healthy_step=0.85, drop=6.0, lean=12.0, dip_m=0.02, healthy_arm=0.9
        ),
        Impairment.HEMIPARETIC: GaitRules(
            duration=1.5,
            support_ratio=1.45,
            affected_step=0.75,
            healthy_step=0.55,
            affected_knee=0.45,
            circumduction_m=0.1,
            hike=5.0,
            lean_away=5.0,
            affected_arm=0.1,
            healthy_arm=0.7,
            elbow=65.0,
            inward=30.0,
        ),
        Impairment.ANTALGIC: GaitRules(
            duration=1.2,
            support_ratio=1.8,
            affected_step=0.9,
            healthy_step=0.6,
            lean=6.0,
            affected_arm=0.8,
            healthy_arm=0.8,
        ),
        Impairment.SHORT_STEP: GaitRules(
            support_ratio=1.25,
            affected_step=0.4,
            healthy_step=0.6,
            affected_knee=0.7,
            healthy_knee=0.75,
            stoop=12.0,
            affected_arm=0.3,
            healthy_arm=0.5,
            elbow=20.0,
        ),
    }
)
"""At full severity; see the module's text for where the values come from."""

# the rate at which walks are edited, frames a second: recordings of 20 or 30 are taken as they are
_EDITING_FPS = 60.0
# share of frames in which neither foot stands: a run has a third, a walk none but for errors at its contacts
_FLIGHT = 0.1
# how many times as long or as short a foot's time alone on the floor is made at most
_MOST_STRETCHED = 2.0


def impaired(
    clip: MotionClip, impairment: Impairment | str, side: str, severity: float = 1.0, *, fps: float = FPS
) -> MotionClip:
    """A walk with an impaired `side` ("left" or "right"), on the canonical bones, at `fps` frames a second.

    clip: somebody healthy who walks on level floor, two steps a side or more, wholly seen; best at the recording's own
    rate, with its own bones. severity: above 0, up to 1. The labels get the impairment, the side and the severity.
    Raises ValueError for anything else, and for a walk so uneven that afterwards the named side does not swing longer
    and stand shorter than the other one.
    """
    kind = _checked(impairment, side, severity)
    walk_clip = to_canonical(clip, min(max(clip.fps, fps), _EDITING_FPS))
    stances = stances_of(walk_clip)
    _check_walk(stances, len(walk_clip))
    rules = RULES[kind].at(severity)
    walk = edit.paced(walk_clip, stances, _pace(stances, len(walk_clip), side, rules), fps)
    other = SIDES[1 - SIDES.index(side)]
    edit.steps_scaled(walk, {side: rules.affected_step, other: rules.healthy_step})
    _change_posture(walk, side, other, rules)
    edit.height_kept(walk, rules.dip_m * edit.stance_bumps(walk, side))
    for name, kept in ((side, rules.affected_knee), (other, rules.healthy_knee)):
        if kept < 1.0:
            edit.swing_stiffened(walk, name, kept, rules.circumduction_m)
    edit.legs_bent(walk)
    labels = (*clip.labels, kind.value, side, f"severity {severity:g}")
    made = placed(_clip(walk, replace(clip, labels=labels)))
    _check_side(made, side)
    return made


def _checked(impairment: Impairment | str, side: str, severity: float) -> Impairment:
    if impairment not in tuple(Impairment):
        raise ValueError(f"impairment {impairment!r} unknown; known: {', '.join(Impairment)}")
    if side not in SIDES:
        raise ValueError(f"side is {side!r}; allowed: {' or '.join(SIDES)}, the one that is affected")
    if not 0.0 < severity <= 1.0:
        raise ValueError(f"severity is {severity:g}; allowed: above 0 and up to 1, the rules' full values")
    return Impairment(impairment)


def _check_walk(stances: tuple[Stance, ...], frames: int) -> None:
    for side in SIDES:
        count = sum(stance.side == side for stance in stances)
        if count < 2:
            raise ValueError(f"the clip is no walk: its {side} foot stands {count} times; two or more are needed")
    on_floor = np.zeros(frames, bool)
    for stance in stances:
        on_floor[stance.start : stance.end] = True
    flight = 1.0 - float(on_floor.mean())
    if flight > _FLIGHT:
        raise ValueError(f"the clip is no walk: both feet are in the air in {flight:.0%} of its frames; give a walk")


def _pace(stances: tuple[Stance, ...], frames: int, side: str, rules: GaitRules) -> Float64:
    """(T,) how many times as long each frame lasts: longer on the healthy foot alone, shorter on the affected one.

    Nobody walks quite evenly: what the two sides differ by in the recording is taken out first.
    """
    pace = np.full(frames, rules.duration)
    other = SIDES[1 - SIDES.index(side)]
    alone = {name: edit.stands_alone(stances, frames, name) for name in SIDES}
    usual = {name: _usual_span(alone[name]) for name in SIDES}
    if not all(usual.values()):
        return pace
    # both together last as long as before
    affected = (usual[side] + usual[other]) / (1.0 + rules.support_ratio)
    for name, wanted in ((side, affected), (other, affected * rules.support_ratio)):
        pace[alone[name]] *= np.clip(wanted / usual[name], 1.0 / _MOST_STRETCHED, _MOST_STRETCHED)
    return pace


def _usual_span(flags: NDArray[np.bool_]) -> float:
    """Median length of the stretches of True, frames, of those inside the clip if there are any; 0 without any."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    spans = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    whole = [end - start for start, end in spans if start > 0 and end < len(flags)]
    return float(np.median(whole or [end - start for start, end in spans])) if spans else 0.0


def _check_side(clip: MotionClip, side: str) -> None:
    """Refuse a result in which what the recording's steps differ by outweighs what was made of them."""
    gait = gait_of(clip)
    own, other = gait[side], gait[SIDES[1 - SIDES.index(side)]]
    if not own.swing_s > other.swing_s or own.stance_s >= other.stance_s:
        raise ValueError(
            f"the walk's own steps are too uneven for a {side} impairment to show: its {side} foot swings for "
            f"{own.swing_s:.2f} s afterwards and the other one for {other.swing_s:.2f} s; give a steadier walk or more "
            "severity"
        )


def _change_posture(walk: edit.Walk, side: str, other: str, rules: GaitRules) -> None:
    """Pelvis, trunk and arms."""
    lift = 1.0 if side == "left" else -1.0
    stands, swings = edit.stance_bumps(walk, side), edit.swing_bumps(walk, side)
    edit.pelvis_and_trunk_turned(
        walk,
        pelvis=lift * (rules.drop * stands + rules.hike * swings),
        trunk_lean=lift * (rules.lean_away * swings - rules.lean * stands),
        trunk_stoop=np.full(len(walk), rules.stoop),
    )
    edit.arm_changed(walk, side, swing=rules.affected_arm, elbow_degrees=rules.elbow, inward_degrees=rules.inward)
    edit.arm_changed(walk, other, swing=rules.healthy_arm, elbow_degrees=0.0, inward_degrees=0.0)


def _clip(walk: edit.Walk, made_from: MotionClip) -> MotionClip:
    frames = len(walk)
    return replace(
        made_from,
        fps=walk.fps,
        stamps=np.arange(frames) / walk.fps,
        positions=walk.body.positions.astype(np.float32),
        rotations=from_matrix(walk.body.local).astype(np.float32),
        confidence=np.ones((frames, len(SMPL22)), np.float32),
        feet=walk.body.feet.astype(np.float32),
        feet_confidence=np.ones((frames, len(FEET)), np.float32),
        bone_offsets=REST_OFFSETS.astype(np.float32),
        view_direction=np.full((frames, 3), np.nan, np.float32),
        views=0,
    )
