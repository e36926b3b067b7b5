"""The ASF and AMC formats on a skeleton small enough to work out by hand, and damaged files."""

import io

import numpy as np
import pytest

from fitmotion_models.datasets import read_asf, read_asf_amc
from fitmotion_models.datasets.asf_files import read_amc, solve_bones

ASF = """\
# two bones
:version 1.10
:name arm
:units
  mass 1.0
  length 0.5
  angle deg
:root
   order TX TY TZ RX RY RZ
   axis XYZ
   position 0 0 0
   orientation 0 0 0
:bonedata
  begin
     id 1
     name lower
     direction 1 0 0
     length 3
     axis 0 0 90 XYZ
     dof rx
     limits (-180 180)
  end
  begin
     id 2
     name upper
     direction 1 0 0
     length 2
     axis 0 0 0 XYZ
     dof ry rz
  end
:hierarchy
  begin
    root upper
    upper lower
  end
"""
AMC = """\
#!OML:ASF arm
:FULLY-SPECIFIED
:DEGREES
1
root 1 2 3 0 0 0
upper 0 90
lower 0
2
root 0 0 0 90 0 90
upper 90 0
lower 90
"""
UNIT = 0.0254 / 0.5


def asf(text=ASF):
    return read_asf(io.StringIO(text))


def amc(text=AMC):
    return read_amc(io.BytesIO(text.encode("latin-1")), asf())


def test_places_worked_out_by_hand():
    ends, _ = solve_bones(asf(), amc())
    # frame 1: the root does not turn; the upper bone turns from x to y; the lower one follows it
    np.testing.assert_allclose(ends["root"][0], np.array([1, 2, 3]) * UNIT)
    np.testing.assert_allclose(ends["upper"][0], np.array([1, 4, 3]) * UNIT)
    np.testing.assert_allclose(ends["lower"][0], np.array([1, 7, 3]) * UNIT, atol=1e-12)
    # frame 2: the root turns about x, then z: x -> y, y -> z, z -> x. The upper bone turns about y: x -> -z, which the
    # root takes to -x. The lower bone's channel turns about the x of a frame that lies along y: x -> -z -> ... in the
    # upper bone's frame; the upper bone takes -z to -x, the root -x to -y
    np.testing.assert_allclose(ends["upper"][1], np.array([-2, 0, 0]) * UNIT, atol=1e-12)
    np.testing.assert_allclose(ends["lower"][1], np.array([-2, -3, 0]) * UNIT, atol=1e-12)


def test_bones_are_sorted_and_angles_may_be_radians():
    assert list(asf().bones) == ["upper", "lower"]
    assert asf().moving == ("root", "upper", "lower")
    radians = AMC.replace(":DEGREES\n", "").replace("90", str(np.pi / 2))
    ends, _ = solve_bones(asf(), read_amc(io.StringIO(radians), asf()))
    np.testing.assert_allclose(ends["lower"][1], np.array([-2, -3, 0]) * UNIT, atol=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("upper 0 90\n", "", ["line 7", "frame 1 lacks upper"]),
        ("upper 90 0\nlower 90\n", "upper 90 0\n", ["at its end", "frame 2 lacks lower", "cut off"]),
        ("upper 0 90", "upper 0", ["line 6", "'upper 0'", "2 finite numbers"]),
        ("upper 0 90", "upper 0 nan", ["line 6", "'upper 0 nan'", "2 finite numbers"]),
        ("upper 0 90", "upper 0 9x0", ["line 6", "9x0"]),
        ("upper 0 90", "uper 0 90", ["line 6", "'uper' is not a moving bone", "right skeleton"]),
        ("lower 0\n", "lower 0\nlower 0\n", ["line 8", "comes twice in frame 1"]),
        (AMC, ":DEGREES\n", ["holds no frame"]),
        ("1\nroot", "root", ["before the first frame"]),
    ],
)
def test_damaged_motion(old, new, words):
    damaged = AMC.replace(old, new, 1)
    assert damaged != AMC
    with pytest.raises(ValueError, match="AMC file") as error:
        amc(damaged)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("length 2", "length two", ["length of 'upper' is two"]),
        ("length 2", "length inf", ["length of 'upper' is inf"]),
        ("direction 1 0 0\n     length 3", "direction 1 0\n     length 3", ["direction of 'lower' is 1 0"]),
        ("axis 0 0 90 XYZ\n", "", ["axis of 'lower' is missing"]),
        ("length 0.5", "length 0", ["unit of length is '0'"]),
        ("dof rx", "dof tx", ["'lower' has channels tx"]),
        ("    upper lower\n", "", ["'lower' is not in the hierarchy"]),
        ("root upper", "lower upper", ["do not hang on the root: lower, upper"]),
        ("     name upper\n", "", ["line 29", "no name"]),
        (" RZ\n", "\n", ["root order TX TY TZ RX RY;"]),
        (ASF, "", ["has no bones"]),
        (ASF[ASF.index(":hierarchy") :], "", ["has no hierarchy"]),
    ],
)
def test_damaged_skeleton(old, new, words):
    damaged = ASF.replace(old, new, 1)
    assert damaged != ASF
    with pytest.raises(ValueError, match="ASF file") as error:
        asf(damaged)
    for word in words:
        assert word in str(error.value), str(error.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(ValueError, match=r"ASF file .*gone.asf can't be read: No such file"):
        read_asf(tmp_path / "gone.asf")
    archive = tmp_path / "packed.asf"
    archive.write_bytes(b"\xfd7zXZ\0\0\0")
    with pytest.raises(ValueError, match=r"packed.asf is not text"):
        read_asf(archive)


def test_another_skeleton_and_impossible_rates_are_refused():
    with pytest.raises(ValueError, match="lacks the bones .*lfemur.*JOINTS"):
        read_asf_amc(io.StringIO(ASF), io.StringIO(AMC))
    for keywords in ({"fps": 0.0}, {"target_fps": float("nan")}, {"fps": 60.0, "target_fps": 100.0}):
        with pytest.raises(ValueError, match="fps="):
            read_asf_amc(io.StringIO(ASF), io.StringIO(AMC), **keywords)
