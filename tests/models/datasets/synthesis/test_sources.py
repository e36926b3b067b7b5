"""What a data set is asked to be made from: folders, tables of labels, prompts, real recordings."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample

from fitmotion_models.datasets.imu_tables import ImuTable, write_imu_csv
from fitmotion_models.datasets.synthesis.prompts_file import prompt_sources
from fitmotion_models.datasets.synthesis.real_recordings import at_rate, real_sources
from fitmotion_models.datasets.synthesis.recording_file import load_recording, placement_of
from fitmotion_models.datasets.synthesis.run import synthesize
from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
from fitmotion_models.datasets.synthesis.source_folders import clip_sources, video_sources
from fitmotion_models.datasets.synthesis.sources import LabelSpan, of_stature
from fitmotion_models.imu import ImuRecording, select_sites, virtual_imu
from fitmotion_models.motion.condition import Conditioning
from fitmotion_models.skeleton.clip_file import save_clip
from fitmotion_models.skeleton.joint_sets import SMPL22
from fitmotion_models.skeleton.kinematics import REST_STATURE

from .conftest import SITES, lunge

PROMPTS = """
seed: 7
subjects:
  anna: {stature: 1.62}
  ben:
defaults: {seconds: [4, 8]}
prompts:
  - prompt: a person performs a deep squat
    label: deep_squat
    fms: [1, 3]
    count: 3
  - prompt: a person walks
    subject: cleo
    trial: way
    seconds: 2
    path: way.csv
    conditioning: textual
"""


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    (tmp_path / "way.csv").write_text("seconds,x,y\n0,0,0\n2,1.5,0\n")
    (tmp_path / "prompts.yaml").write_text(PROMPTS)
    return tmp_path / "prompts.yaml"


def test_prompts_become_motions_of_every_subject_and_score(prompts, settings):
    found = prompt_sources(prompts, settings)
    squats, walk = found[:-1], found[-1]
    assert len(squats) == 2 * 2 * 3 and len({source.id for source in found}) == 13
    assert {(s.about.subject, s.condition.score, s.about.trial) for s in squats} == {
        (person, score, str(number)) for person in ("anna", "ben") for score in (1, 3) for number in (1, 2, 3)
    }
    assert {(s.about.subject, s.stature) for s in squats} == {("anna", 1.62), ("ben", None)}
    assert all(4.0 <= s.condition.seconds <= 8.0 for s in squats) and len({s.condition.seconds for s in squats}) > 6
    assert all(s.about.labels == (LabelSpan("deep_squat"),) and "CC BY-SA" in s.about.licence for s in found[:3])
    assert len({s.condition.seed for s in found}) == 13
    assert walk.id == "prompt_a_person_walks_cleo_way" and walk.condition.conditioning is Conditioning.TEXTUAL
    np.testing.assert_array_equal(walk.condition.path.positions, [(0.0, 0.0), (1.5, 0.0)])
    again = prompt_sources(prompts, settings)
    assert [s.condition.seed for s in again] == [s.condition.seed for s in found]


def test_a_seed_stays_when_other_entries_come(prompts, settings):
    before = {s.id: s.condition.seed for s in prompt_sources(prompts, settings)}
    prompts.write_text(PROMPTS.replace("prompts:\n", "prompts:\n  - a person jumps\n"))
    after = {s.id: s.condition.seed for s in prompt_sources(prompts, settings)}
    assert {id: after[id] for id in before} == before and len(after) == len(before) + 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("prompts:", "motions:", "has no prompts"),
        ("fms: [1, 3]", "fms: [1, 5]", "entry 1: score 5 is none"),
        ("fms: [1, 3]", "fsm: 1", "entry 1: unknown field fsm; allowed: prompt, label, fms"),
        ("count: 3", "count: 0", "count is 0; give a whole number from 1"),
        ("seconds: [4, 8]", "seconds: [8, 4]", "give a number, or two, from and to"),
        ("stature: 1.62", "stature: 162", "stature 162; allowed: 0.4 to 2.6 m"),
        ("stature: 1.62", "weight: 60", "allowed: {stature: METRES}"),
        ("path: way.csv", "path: there.csv", "entry 2: .*No such file"),
        ("conditioning: textual", "conditioning: loud", "'loud' unknown; known: default, numerical"),
        ("    path: way.csv", "    keyframe_at: 1", "name the clip with keyframes"),
        ("seed: 7", "seed: [", "is no YAML"),
        ("seed: 7", "sed: 7", "unknown field sed; allowed: seed, subjects"),
        ("a person walks", "", "prompt must be words|prompt is empty"),
    ],
)
def test_a_prompts_file_that_cannot_be_meant_is_said_before_work(prompts, settings, old, new, said):
    prompts.write_text(PROMPTS.replace(old, new))
    with pytest.raises(ValueError, match=said) as error:
        prompt_sources(prompts, settings)
    assert "prompts.yaml" in str(error.value) and "\n" not in str(error.value)


def test_a_taller_person_moves_alike_and_farther():
    small = lunge("left")
    tall = of_stature(small, 1.25 * REST_STATURE)
    np.testing.assert_array_equal(tall.rotations, small.rotations)
    np.testing.assert_allclose(tall.positions, 1.25 * small.positions, rtol=1e-6)
    knee, ankle = SMPL22.index("left_knee"), SMPL22.index("left_ankle")
    shank = np.linalg.norm(tall.positions[:, ankle] - tall.positions[:, knee], axis=-1)
    np.testing.assert_allclose(shank, 1.25 * np.linalg.norm(small.bone_offsets[ankle]), rtol=1e-3)
    # acceleration of the sensor itself grows alike; its offset from the bone stays what it is on the bone
    read, grown = (virtual_imu(clip, select_sites(["pelvis"])) for clip in (small, tall))
    np.testing.assert_allclose(grown.angular_velocity, read.angular_velocity, atol=1e-6)
    with pytest.raises(ValueError, match="no person's; allowed"):
        of_stature(small, 3.0)


def test_folders_say_who_does_what(clips):
    found = {source.id: source.about for source in clip_sources(clips, licence="CC0")}
    about = found["clip_ben_lunge_right_1"]
    assert (about.subject, about.trial, about.labels, about.licence) == ("ben", "1", (LabelSpan("lunge_right"),), "CC0")


def test_a_clip_without_folders_says_itself_who_does_what(tmp_path):
    clip = replace(lunge("left"), subject="dora", labels=("take_3", "lunge", "left"))
    save_clip(tmp_path / "x.npz", clip)
    (about,) = [source.about for source in clip_sources(tmp_path)]
    assert (about.subject, about.labels) == ("dora", (LabelSpan("lunge"),))


def test_a_table_says_it_better(clips):
    (clips / "labels.csv").write_text(
        "file,subject,trial,label,start_s,end_s,licence\n"
        "anna/lunge_left/0.npz,eve,7,down,0,1.5,CC0\n"
        "anna/lunge_left/0.npz,,,up,1.5,,\n"
        "ben/lunge_left/0.npz,,,,,,\n"
    )
    found = {source.id: source.about for source in clip_sources(clips)}
    about = found["clip_anna_lunge_left_0"]
    assert (about.subject, about.trial, about.licence) == ("eve", "7", "CC0")
    assert about.labels == (LabelSpan("down", 0.0, 1.5), LabelSpan("up", 1.5))
    assert found["clip_ben_lunge_left_0"].labels == (LabelSpan("lunge_left"),)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name,label\na,b\n", "begins with 'name,label'; its first line names columns, file and any of subject"),
        ("file,label\nnobody.npz,b\n", "line 2: file 'nobody.npz' is not in the folder"),
        ("file,start_s\nanna/lunge_left/0.npz,soon\n", "line 2: start_s 'soon' is no number of seconds"),
        ("file,start_s,end_s\nanna/lunge_left/0.npz,3,2\n", "from 3 to 2 s has no length"),
    ],
)
def test_a_wrong_table_is_said_with_its_line(clips, table, said):
    (clips / "labels.csv").write_text(table)
    with pytest.raises(ValueError, match=said):
        clip_sources(clips)


def test_empty_folders_and_missing_ones_are_said(tmp_path):
    with pytest.raises(ValueError, match=r"holds no video; expected files that end in .mp4"):
        video_sources(tmp_path)
    with pytest.raises(ValueError, match="is no folder; give the one that holds the clips"):
        clip_sources(tmp_path / "nowhere")


def band_limited(seconds: float, rate_hz: float, cycles) -> ImuRecording:
    """Whole cycles, so that the signal is periodic and the Fourier method has no ends."""
    stamps = np.arange(round(seconds * rate_hz)) / rate_hz
    signal = np.stack([np.sin(2 * np.pi * number * stamps / seconds) for number in cycles], axis=-1)[:, None]
    return ImuRecording(("sensor",), rate_hz, stamps, signal, 2.0 * signal, np.full((len(stamps), 1, 4), np.nan))


def test_slower_recordings_are_those_of_scipys_fourier_method():
    read = band_limited(20.0, 200.0, (3, 40, 1800))  # .15, 2 and 90 Hz; the last cannot be at 50 a second
    slow = at_rate(read, 50.0)
    expected = resample(read.specific_force, 1000)
    assert slow.rate_hz == 50.0 and len(slow) == 1000
    inside = slice(50, -50)
    np.testing.assert_allclose(slow.specific_force[inside], expected[inside], atol=0.01)
    np.testing.assert_allclose(slow.angular_velocity[inside], 2.0 * expected[inside], atol=0.02)


def test_holes_of_real_recordings_stay_holes():
    read = band_limited(10.0, 50.0, (1, 2, 3))
    read.specific_force[100:110] = np.nan  # 0.2 s and a sample more: no hole that is bridged
    read.specific_force[200:203] = np.nan  # bridged
    found = at_rate(read, 100.0)
    missing = np.isnan(found.specific_force).any(axis=(1, 2))
    assert missing[200:218].all() and missing.sum() <= 22 and not missing[390:410].any()


def test_a_table_that_imu_writes_comes_back_as_a_real_recording(tmp_path, settings):
    sites = select_sites(SITES)
    clip = lunge("left")
    read = virtual_imu(clip, sites, rate_hz=50.0)
    folder = tmp_path / "real"
    (folder / "squat").mkdir(parents=True)
    write_imu_csv(folder / "squat" / "one.csv", ImuTable("fay", read, placement_of(sites, clip.bone_offsets)))
    (source,) = real_sources(folder)
    assert (source.about.subject, source.about.labels) == ("fay", (LabelSpan("squat"),))
    found = synthesize(tmp_path / "set", [source], settings, jobs=1)
    assert found.made == {"recording": 1} and found.rows[0].kind == "real"
    got, placement = load_recording(tmp_path / "set" / found.rows[0].signals)
    np.testing.assert_allclose(got.specific_force, read.specific_force, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(placement.positions, placement_of(sites, clip.bone_offsets).positions, atol=1e-6)
    assert placement.segments == ("pelvis", "right_hip")
    (folder / "squat" / "two.csv").write_text("seconds,nothing\n0,1\n1,1\n")
    with pytest.raises(ValueError, match="two.csv lacks specific_force_x"):
        real_sources(folder)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sites": ("tail",)}, "'tail' is unknown"),
        ({"preset": "wish"}, "'wish' is unknown; known: ideal, bmi"),
        ({"rate_hz": 0.0}, "rate 0 is out of range"),
        ({"cutoff": "low"}, "cut-off 'low': give Hz such as 6"),
        ({"cutoff": "1,2,3"}, "cut-off '1,2,3'"),
        ({"generator": "hope"}, "generator 'hope' unknown; known: fitmotion, kimodo"),
        ({"calibration": "nowhere.npz"}, "nowhere.npz does not exist"),
    ],
)
def test_settings_that_cannot_be_are_said(wrong, said):
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        SynthesisSettings(**wrong)
