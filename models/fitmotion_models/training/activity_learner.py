"""Learns activities from real, virtual or both recordings of training persons: `evaluation.activity_report`'s learner.

Every arm has the same network, seeds, number of windows (its steps: each is read once by a readout that is found in
one step) and number of settings to choose among. Settings are chosen inside the training persons: with several, half
of them judge what was learned of the other half; with one, half of the repetitions do, worn as others might wear the
sensor. What judges is always real.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.datasets.utd_mhad import UtdTrial
from fitmotion_models.evaluation.activity_metrics import macro_f1
from fitmotion_models.evaluation.activity_report import BOTH, REAL, SHUFFLED, VIRTUAL
from fitmotion_models.imu.calibration import Calibration
from fitmotion_models.training.activity_network import KERNELS, RandomConvolutions, Readout, train_readouts
from fitmotion_models.training.activity_recipe import AUGMENTATIONS, DECAYS, SETTINGS, WINDOWS, Setting
from fitmotion_models.training.activity_variations import Variations
from fitmotion_models.training.activity_virtual import VirtualRecipe, calibration_of, refuse_leak, virtual_windows
from fitmotion_models.training.activity_windows import Windows, augmented, labels_of, real_windows

Features = NDArray[np.float32]

_TUNING_SEED = 0  # settings are chosen once for all seeds
# the places of the streams of random numbers
_AUGMENTING, _VARYING, _SHUFFLING, _SHOWING, _JUDGING = range(1, 6)
_OTHERS = 4  # other wearers that one person's repetition stands for when settings are chosen


@dataclass(frozen=True, eq=False)
class LearnedActivities:
    """A recogniser; see `evaluation.activity_report.ActivityRecogniser`."""

    persons: frozenset[str]
    settings: str
    network: RandomConvolutions
    readout: Readout

    def __call__(self, trials: Sequence[UtdTrial]) -> NDArray[np.int64]:
        """The actions' numbers (N,) of what the real sensor read."""
        return self.readout(self.network(real_windows(trials)))


@dataclass(eq=False)
class ActivityLearnerOfOurs:
    """Learns, and keeps the features of windows that it made; what it keeps of a repetition is of that person alone."""

    variations: Variations = field(default_factory=Variations)
    recipe: VirtualRecipe = field(default_factory=VirtualRecipe)

    def __post_init__(self) -> None:
        self._networks: dict[int, RandomConvolutions] = {}
        self._features: dict[tuple[Any, ...], Features] = {}
        self._virtual_windows: dict[tuple[Any, ...], Windows] = {}
        self._calibrations: dict[tuple[UtdTrial, ...], Calibration] = {}
        self._chosen: dict[tuple[Any, ...], tuple[Setting, float]] = {}

    @property
    def terms(self) -> Mapping[str, Any]:
        """What is the same in all arms."""
        return {
            "network": f"{KERNELS} random convolutions, linear readout",
            "windows_per_repetition": WINDOWS,
            "training": "closed form, one step, every window once; as many windows in every arm",
            "settings_tried_per_arm": {arm: len(settings) * len(DECAYS) for arm, settings in SETTINGS.items()},
            "chosen_by": "macro-F1 on real windows of the other half of the training persons, or of the one "
            "training person's other repetitions, turned, scaled and warped",
            "calibration": f"{self.recipe.method}, of each training person's own recordings",
        }

    def learn(
        self, arm: str, trials: Sequence[UtdTrial], seed: int, *, virtual_of: Sequence[UtdTrial] | None = None
    ) -> LearnedActivities:
        """Learn from these repetitions.

        virtual_of: whose skeletons make the virtual recordings; None: the same. Raises ValueError where they are of
        persons who are not among the training persons, for an unknown arm and for fewer than two activities.
        """
        if arm not in (*SETTINGS, SHUFFLED):
            raise ValueError(f"arm {arm!r} is unknown; known: {', '.join((*SETTINGS, SHUFFLED))}")
        source = list(trials if virtual_of is None else virtual_of)
        known = frozenset(trial.person for trial in trials)
        refuse_leak("virtual recordings", (trial.person for trial in source), known)
        setting, decay = self._choice(BOTH if arm == SHUFFLED else arm, trials, source)
        rows = self._rows(setting, trials, source, source, seed, shuffled=arm == SHUFFLED)
        (readout,) = train_readouts(*rows, (decay,))
        return LearnedActivities(known, f"{setting}, decay {decay:g}", self._network(seed), readout)

    def windows(self, arm: str, trials: Sequence[UtdTrial], seed: int) -> Windows:
        """(N, 6, 96): one window of each repetition, as worn or as a virtual sensor's with no variation."""
        if arm == REAL:
            return real_windows(trials)
        if arm != VIRTUAL:
            raise ValueError(f"windows are {REAL} or {VIRTUAL}, not {arm!r}")
        still = Variations().times(0.0)
        return np.concatenate(
            [
                virtual_windows(
                    trial,
                    1,
                    still,
                    self._calibration(trial.person, trials),
                    self.recipe,
                    self._seed(trial, seed, _SHOWING),
                )
                for trial in trials
            ]
        )

    def _choice(self, arm: str, trials: Sequence[UtdTrial], source: Sequence[UtdTrial]) -> tuple[Setting, float]:
        """The setting and weight decay that are best inside the training persons."""
        key = (arm, tuple(trials), tuple(source))
        if key not in self._chosen:
            scores = np.zeros((len(SETTINGS[arm]), len(DECAYS)))
            for judging in _halves(trials):
                held = [trial for trial in trials if trial in judging]
                taught = [trial for trial in trials if trial not in judging]
                virtual = [trial for trial in source if trial not in judging]
                asked, true = self._judging(held, alone=len({trial.person for trial in trials}) == 1)
                for row, setting in enumerate(SETTINGS[arm]):
                    rows = self._rows(setting, taught, virtual, source, _TUNING_SEED)
                    scores[row] += [macro_f1(true, readout(asked)) for readout in train_readouts(*rows, DECAYS)]
            best = np.flatnonzero(scores.ravel() >= scores.max() - 1e-9)[-1]
            row, column = np.unravel_index(best, scores.shape)
            self._chosen[key] = SETTINGS[arm][row], DECAYS[column]
        return self._chosen[key]

    def _judging(self, held: Sequence[UtdTrial], *, alone: bool) -> tuple[Features, NDArray[np.int64]]:
        """Real features and labels that settings are judged by.

        alone: all are of the one training person, whose further repetitions nearly every setting knows, so that they
        would not tell the settings apart; they are turned, scaled and warped as strongly as other wearers' may be.
        """
        windows, labels = real_windows(held), labels_of(held)
        if alone:
            windows, labels = np.repeat(windows, _OTHERS, axis=0), np.repeat(labels, _OTHERS)
            windows = augmented(windows, AUGMENTATIONS["strong"], np.random.default_rng([_TUNING_SEED, _JUDGING]))
        return self._network(_TUNING_SEED)(windows), labels

    def _rows(
        self,
        setting: Setting,
        trials: Sequence[UtdTrial],
        source: Sequence[UtdTrial],
        calibrating: Sequence[UtdTrial],
        seed: int,
        *,
        shuffled: bool = False,
    ) -> tuple[Features, NDArray[np.int64], NDArray[np.float64]]:
        """Features, labels and weights of `WINDOWS` windows of each repetition; shuffled: the virtual ones' labels."""
        virtual = 0 if not setting.share else WINDOWS if setting.share == 1.0 else WINDOWS // 2
        parts: list[tuple[Features, NDArray[np.int64], float]] = []
        if virtual < WINDOWS:
            found = [self._real(trial, setting.augmentation, seed)[: WINDOWS - virtual] for trial in trials]
            parts.append((np.concatenate(found), labels_of(trials), 1.0 - setting.share))
        if virtual:
            plain = setting.augmentation if virtual == WINDOWS else "none"
            found = [self._virtual(trial, calibrating, plain, seed)[:virtual] for trial in source]
            labels = labels_of(source)
            if shuffled:
                labels = np.random.default_rng([seed, _SHUFFLING]).permutation(labels)
            parts.append((np.concatenate(found), labels, setting.share))
        features = np.concatenate([found for found, _, _ in parts])
        labels = np.concatenate([np.repeat(known, len(found) // len(known)) for found, known, _ in parts])
        weights = np.concatenate([np.full(len(found), share / len(found)) for found, _, share in parts])
        return features, labels, weights

    def _real(self, trial: UtdTrial, augmentation: str, seed: int) -> Features:
        """Features (`WINDOWS`, F) of a real repetition, augmented."""
        key = (trial, augmentation, seed)
        if key not in self._features:
            random = np.random.default_rng([*self._seed(trial, seed, _AUGMENTING), len(augmentation)])
            repeated = np.repeat(real_windows([trial]), WINDOWS, axis=0)
            self._features[key] = self._network(seed)(augmented(repeated, AUGMENTATIONS[augmentation], random))
        return self._features[key]

    def _virtual(self, trial: UtdTrial, calibrating: Sequence[UtdTrial], augmentation: str, seed: int) -> Features:
        """Features (`WINDOWS`, F) of virtual variations of a repetition, calibrated with that person's recordings."""
        calibration = self._calibration(trial.person, calibrating)
        key = (trial, calibration, augmentation, seed)
        if key not in self._features:
            random = np.random.default_rng([*self._seed(trial, seed, _AUGMENTING), len(augmentation)])
            made = augmented(self._varied(trial, calibration, seed), AUGMENTATIONS[augmentation], random)
            self._features[key] = self._network(seed)(made)
        return self._features[key]

    def _varied(self, trial: UtdTrial, calibration: Calibration, seed: int) -> Windows:
        """Windows (`WINDOWS`, 6, 96) of variations, in an order in which every part has of both sides of the body."""
        key = (trial, calibration, seed)
        if key not in self._virtual_windows:
            drawn = self._seed(trial, seed, _VARYING)
            made = virtual_windows(trial, WINDOWS, self.variations, calibration, self.recipe, drawn)
            self._virtual_windows[key] = made[np.random.default_rng(drawn).permutation(WINDOWS)]
        return self._virtual_windows[key]

    def _calibration(self, person: str, trials: Sequence[UtdTrial]) -> Calibration:
        own = tuple(trial for trial in trials if trial.person == person)
        if own not in self._calibrations:
            self._calibrations[own] = calibration_of(own, self.recipe)
        return self._calibrations[own]

    def _network(self, seed: int) -> RandomConvolutions:
        if seed not in self._networks:
            self._networks[seed] = RandomConvolutions(seed)
        return self._networks[seed]

    @staticmethod
    def _seed(trial: UtdTrial, seed: int, stream: int) -> list[int]:
        """Of a repetition's random numbers, the same whoever else is learned from."""
        person = int("".join(letter for letter in trial.person if letter.isdigit()) or 0)
        return [seed, stream, trial.action, person, trial.repetition]


def _halves(trials: Sequence[UtdTrial]) -> list[set[UtdTrial]]:
    """Two halves, each of which judges once: of the persons, or of one person's repetitions of each action."""
    persons = sorted({trial.person for trial in trials})
    places = {person: place for place, person in enumerate(persons)}
    first = {trial for trial in trials if (places[trial.person] if len(persons) > 1 else trial.repetition) % 2 == 0}
    return [first, set(trials) - first]
