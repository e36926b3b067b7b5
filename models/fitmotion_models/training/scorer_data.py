"""UI-PRMD as the tables that scorers are trained and compared on: one row a repetition, nothing of its neighbours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.motion_grades import judged_by_rules
from fitmotion_models.datasets.uiprmd import uiprmd_clip
from fitmotion_models.datasets.uiprmd_files import UiprmdName, read_recordings
from fitmotion_models.datasets.uiprmd_sides import tested_side
from fitmotion_models.fms.learned_features import clip_features
from fitmotion_models.fms.values import Movement
from fitmotion_models.training.scorer_baselines import angle_features, position_features
from fitmotion_models.training.scorer_frames import frame_sequence

Table = NDArray[np.float64]

TESTS = {
    "m01": Movement.DEEP_SQUAT,
    "m02": Movement.HURDLE_STEP,
    "m03": Movement.INLINE_LUNGE,
    "m06": Movement.STANDING_LEG_RAISE,
}
"""The set's movements that are tests of ours; m06 is none of the screen."""

LEG_MOVEMENTS = ("m01", "m02", "m03", "m04", "m05", "m06")
"""What scorers learn from: the tests, the side lunge and sit to stand. The other four are of the shoulder."""

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, eq=False)
class ScorerTable:
    """N repetitions.

    names: of the recordings. movement, person, correct: (N,). whole: (N, F) and sided: (N, 2, S), features as in
    `fms.learned_features`, their names beside them; a test with sides has the same row twice. positions: (N, 3300) and
    angles: (N, 6), of the baselines. frames: (N, T, 360), of the LSTM. rules_meet, severity: (N,), of the rules (NaN
    where there are none for the movement).
    """

    names: tuple[UiprmdName, ...]
    movement: NDArray[np.str_]
    person: NDArray[np.str_]
    correct: NDArray[np.bool_]
    whole_names: tuple[str, ...]
    whole: Table
    sided_names: tuple[str, ...]
    sided: Table
    positions: Table
    angles: Table
    frames: NDArray[np.float32]
    rules_meet: Table
    severity: Table

    @property
    def persons(self) -> tuple[str, ...]:
        """Who is in it, in order."""
        return tuple(sorted(set(self.person.tolist())))


def read_scorer_table(
    source: str | PathLike[str], persons: Sequence[str] | None = None, progress: Progress | None = None
) -> ScorerTable:
    """Read and measure every repetition of the legs' movements.

    source: folder or archive of UI-PRMD. persons: only these. Raises ValueError for a source that is none, and for
    persons that are not in it.
    """
    recordings = read_recordings(
        source, lambda name: name.movement in LEG_MOVEMENTS and (persons is None or name.person in persons)
    )
    found = {recording.name.person for recording in recordings}
    missing = sorted(set(persons or ()) - found)
    if missing or not recordings:
        raise ValueError(f"{source} has no recordings of {', '.join(missing) or 'the movements m01 to m06'}")
    rows = []
    for number, recording in enumerate(recordings, start=1):
        clip = uiprmd_clip(recording)
        side = tested_side(recording.name.movement, clip)
        features = clip_features(clip, side)
        points = recording.positions()
        rows.append(
            (
                features,
                position_features(points),
                angle_features(clip, side),
                frame_sequence(clip),
                judged_by_rules(clip, TESTS.get(recording.name.movement), side),
            )
        )
        if progress is not None:
            progress(number, len(recordings))
    seen = [row[0] for row in rows]
    names = tuple(recording.name for recording in recordings)
    return ScorerTable(
        names=names,
        movement=np.array([name.movement for name in names]),
        person=np.array([name.person for name in names]),
        correct=np.array([name.correct for name in names]),
        whole_names=seen[0].names,
        whole=np.stack([one.values for one in seen]).astype(np.float64),
        sided_names=seen[0].sided_names,
        sided=np.stack([np.broadcast_to(one.sided, (2, one.sided.shape[1])) for one in seen]).astype(np.float64),
        positions=np.stack([row[1] for row in rows]),
        angles=np.stack([row[2] for row in rows]),
        frames=np.stack([row[3] for row in rows]),
        rules_meet=np.array([row[4].meets for row in rows]),
        severity=np.array([row[4].severity for row in rows]),
    )
