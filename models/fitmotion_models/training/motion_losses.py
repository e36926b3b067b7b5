"""Losses of the stream model: on its values, and on the body that they make by forward kinematics (torch)."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from fitmotion_models.motion.features import FPS, LAYOUT
from fitmotion_models.motion.stream_network import ROOT
from fitmotion_models.skeleton.kinematics import FEET_PARENTS, LEVELS, REST_FEET_OFFSETS, REST_OFFSETS
from fitmotion_models.training.motion_recipe import LossWeights

_JOINTS = 22
# soft knee of the Huber loss, in the features' own deviations
_HUBER = 1.0


class Bodies(NamedTuple):
    """joints (B, F, 22, 3) and feet (B, F, 4, 3), metres, in the frame of the root that was given."""

    joints: Tensor
    feet: Tensor


def bodies_of(root: Tensor, features: Tensor) -> Bodies:
    """Forward kinematics of features (B, F, 204) with the root's (B, F, 5), not normalised."""
    columns = features[..., LAYOUT["rotations"]].reshape(*features.shape[:-1], _JOINTS, 6)
    first = functional.normalize(columns[..., :3], dim=-1)
    second = columns[..., 3:]
    second = functional.normalize(second - (first * second).sum(-1, keepdim=True) * first, dim=-1)
    local = torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)
    heading = functional.normalize(root[..., LAYOUT["heading"]], dim=-1)
    cosine, sine = heading[..., 0], heading[..., 1]
    zero, one = torch.zeros_like(cosine), torch.ones_like(cosine)
    turn = torch.stack([cosine, -sine, zero, sine, cosine, zero, zero, zero, one], dim=-1)
    turn = turn.reshape(*cosine.shape, 3, 3)
    bones = torch.tensor(REST_OFFSETS, dtype=local.dtype, device=local.device)
    matrices: list[Tensor] = [turn @ local[..., 0, :, :]] * _JOINTS
    joints: list[Tensor] = [root[..., LAYOUT["root_position"]]] * _JOINTS
    for children, parents in LEVELS:
        above = torch.stack([matrices[parent] for parent in parents], dim=-3)
        world = above @ local[..., children, :, :]
        steps = (above @ bones[children][..., None])[..., 0]
        for place, (child, parent) in enumerate(zip(children, parents, strict=True)):
            matrices[child] = world[..., place, :, :]
            joints[child] = joints[parent] + steps[..., place, :]
    anchors = torch.stack([joints[parent] for parent in FEET_PARENTS], dim=-2)
    turned = torch.stack([matrices[parent] for parent in FEET_PARENTS], dim=-3)
    soles = torch.tensor(REST_FEET_OFFSETS, dtype=local.dtype, device=local.device)
    return Bodies(torch.stack(joints, dim=-2), anchors + (turned @ soles[..., None])[..., 0])


def _mean(values: Tensor, weight: Tensor) -> Tensor:
    """Mean over all but the batch and time, weighed (B, F)."""
    flat = values.reshape(*weight.shape, -1).mean(-1)
    return (flat * weight).sum() / weight.sum().clamp(min=1.0)


def value_loss(predicted: Tensor, true: Tensor, valid: Tensor, weight: Tensor) -> Tensor:
    """Huber loss of normalised values (B, F, N); valid (B, F); weight (B, 1) of each window."""
    error = functional.huber_loss(predicted, true, reduction="none", delta=_HUBER)
    return _mean(error, valid * weight)


def root_loss(predicted: Tensor, true: Tensor, valid: Tensor, weight: Tensor, weights: LossWeights) -> Tensor:
    """Of the root's normalised values (B, F, 5): themselves, and how they change from frame to frame."""
    total = weights.values * value_loss(predicted, true, valid, weight)
    change = predicted.diff(dim=1) - true.diff(dim=1)
    # a frame's change is a twentieth of a second's; in that scale it is as large as the values
    pairs = valid[:, 1:] * valid[:, :-1] * weight
    return total + weights.velocity * _mean((change * 5.0).square(), pairs)


def body_losses(
    predicted: Tensor,
    true: Tensor,
    last: Tensor,
    *,
    valid: Tensor,
    steady: Tensor,
    weight: Tensor,
    weights: LossWeights,
) -> dict[str, Tensor]:
    """Losses on the body, by name, weighed.

    predicted, true: (B, F, 204) features, not normalised, with the true root in both. last: (B, 204) last frame of the
    history, NaN where there is none. valid, steady: (B, F) 1 where the truth is known, and is a recording's own.
    weight: (B, 1) of each window: little where nearly all is noise.
    """
    root = true[..., :ROOT]
    found, real = bodies_of(root, predicted), bodies_of(root, true)
    known = (~torch.isnan(last[:, :1])).to(valid.dtype)
    before = bodies_of(torch.nan_to_num(last[:, None, :ROOT], nan=0.5), torch.nan_to_num(last[:, None], nan=0.5))
    losses = {"joints": weights.joints * 10.0 * _mean((found.joints - real.joints).abs(), valid * weight)}
    # the frame before comes first, so that the seam's speed and acceleration count as any other
    started = torch.cat([before.joints, found.joints], dim=1)
    truly = torch.cat([before.joints, real.joints], dim=1)
    speed, true_speed = started.diff(dim=1) * FPS, truly.diff(dim=1) * FPS
    inside = torch.cat([known, valid[:, :-1]], dim=1) * valid * weight
    losses["velocity"] = weights.velocity * _mean((speed - true_speed).abs(), inside)
    losses["seam"] = weights.seam * _mean((speed - true_speed)[:, :1].abs(), inside[:, :1])
    losses["acceleration"] = (
        weights.acceleration
        * 0.1
        * _mean((speed.diff(dim=1) - true_speed.diff(dim=1)).abs() * FPS * 0.1, inside[:, 1:] * inside[:, :-1])
    )
    contacts = true[..., LAYOUT["contacts"]]
    feet_speed = found.feet.diff(dim=1).norm(dim=-1) * FPS
    both = contacts[:, 1:] * contacts[:, :-1]
    losses["contact"] = weights.contact * _mean(feet_speed * both, (valid * steady)[:, 1:] * weight)
    # below the floor, or deeper than the recording itself is
    depth = functional.relu(torch.minimum(real.feet[..., 2], torch.zeros_like(real.feet[..., 2])) - found.feet[..., 2])
    losses["floor"] = weights.floor * 10.0 * _mean(depth, valid * weight)
    return losses
