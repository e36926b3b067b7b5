"""Clip files: what is read is what was written, and bad files are named."""

from pathlib import Path

import numpy as np
import pytest

from fitmotion_models.skeleton import REST_OFFSETS, MotionClip, Source, load_clip, save_clip
from fitmotion_models.skeleton.body_pose import ARRAY_SHAPES


def make_clip(frames: int = 4, labels: tuple[str, ...] = ("deep squat", "slow")) -> MotionClip:
    rng = np.random.default_rng(5)
    arrays = {name: rng.normal(size=(frames, *shape)) for name, shape in ARRAY_SHAPES.items()}
    arrays["bone_offsets"] = REST_OFFSETS
    arrays["positions"][1:, 3] = np.nan
    return MotionClip(
        fps=29.97, stamps=np.arange(frames) / 29.97, views=2, subject="Zoë", source=Source.CAMERAS,
        labels=labels, **arrays,
    )  # fmt: skip


def test_a_clip_comes_back_bit_for_bit(tmp_path: Path) -> None:
    clip = make_clip()
    path = save_clip(tmp_path / "squat.npz", clip)
    again = load_clip(path)
    for name in (*ARRAY_SHAPES, "stamps"):
        assert getattr(again, name).tobytes() == getattr(clip, name).tobytes()
        assert getattr(again, name).dtype == getattr(clip, name).dtype
    for name in ("fps", "views", "subject", "source", "labels"):
        assert getattr(again, name) == getattr(clip, name)
    assert [file.name for file in tmp_path.iterdir()] == ["squat.npz"]
    with np.load(path) as archive:  # NumPy alone can read it
        np.testing.assert_array_equal(archive["positions"], clip.positions)


def test_a_clip_without_frames_or_labels_is_a_clip(tmp_path: Path) -> None:
    again = load_clip(save_clip(tmp_path / "empty.npz", make_clip(0, labels=())))
    assert len(again) == 0
    assert again.labels == ()


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.npz", make_clip(2))
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"a\.npz exists; choose another name"):
        save_clip(path, make_clip(3))
    assert path.read_bytes() == before
    assert len(load_clip(save_clip(path, make_clip(3), overwrite=True))) == 3


def test_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.json must be named \*\.npz"):
        save_clip(tmp_path / "a.json", make_clip())
    with pytest.raises(FileNotFoundError, match=r"gone\.npz does not exist"):
        load_clip(tmp_path / "gone.npz")
    (tmp_path / "text.npz").write_text("no clip")
    with pytest.raises(ValueError, match=r"text\.npz is not a motion clip"):
        load_clip(tmp_path / "text.npz")
    (tmp_path / "empty.npz").write_bytes(b"")
    with pytest.raises(ValueError, match=r"empty\.npz is not a motion clip"):
        load_clip(tmp_path / "empty.npz")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match=r"other\.npz is an npz but not a FitMotion motion clip: it lacks format"):
        load_clip(tmp_path / "other.npz")
    whole = save_clip(tmp_path / "half.npz", make_clip())
    whole.write_bytes(whole.read_bytes()[:900])
    with pytest.raises(ValueError, match=r"half\.npz is not a motion clip"):
        load_clip(whole)


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    path = save_clip(tmp_path / "a.npz", make_clip())
    with np.load(path) as archive:
        fields = dict(archive)
    np.savez(path, **{**fields, "version": np.array(2)})
    with pytest.raises(ValueError, match="of version 2, this FitMotion reads up to 1"):
        load_clip(path)
