"""One recording from its source to its row; what every process of a run does."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fitmotion_models.datasets.synthesis.files import StorageError
from fitmotion_models.datasets.synthesis.manifest import SetRow, read_record, write_record
from fitmotion_models.datasets.synthesis.recording_file import load_recording
from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
from fitmotion_models.datasets.synthesis.sources import REAL, SYNTHETIC
from fitmotion_models.datasets.synthesis.stages import StageRunner, sensor_seed, stages_of


@dataclass(frozen=True)
class Outcome:
    """What came of one recording.

    row: as it is in the manifest; None where it was left out. made: stages that were done, not found done. problem:
    why it was left out, a sentence. stops: whether no other recording can be made either, as the disk takes no more.
    """

    id: str
    row: SetRow | None = None
    made: tuple[str, ...] = ()
    problem: str = ""
    stops: bool = False


@dataclass(frozen=True)
class Work:
    """Makes recordings; can be sent to a process. folder: of the data set."""

    folder: Path
    settings: SynthesisSettings

    def __call__(self, source: Any) -> Outcome:
        """Do the stages that are to be done and write the recording's row; never raises for what one recording is."""
        try:
            return self._done(source)
        except StorageError as error:
            return Outcome(source.id, problem=error.strerror or str(error), stops=True)
        except Exception as error:
            # a recording can be wrong in any way; all others are to go on
            said = " ".join(str(error).split()).replace(f"{source.origin}/", "") or "it can't be used"
            expected = isinstance(error, ValueError | OSError | RuntimeError)
            return Outcome(source.id, problem=said if expected else f"{said} ({type(error).__name__})")

    def _done(self, source: Any) -> Outcome:
        runner = StageRunner(self.folder, source.id)
        records = tuple(runner.run(stage) for stage in stages_of(source, self.settings))
        before = read_record(self.folder, source.id)
        if not runner.made and before is not None and before.stages == records:
            row = before.about(source.about)
        else:
            row = self._row(source, records)
        if row != before:
            write_record(self.folder, row)
        return Outcome(source.id, row, tuple(runner.made))

    def _row(self, source: Any, records: tuple[Any, ...]) -> SetRow:
        recording, _ = load_recording(self.folder / records[-1].output.path)
        virtual = hasattr(source, "clip")
        return SetRow(
            id=source.id,
            kind=SYNTHETIC if virtual else REAL,
            medium=source.medium,
            origin=source.origin,
            subject=source.about.subject,
            trial=source.about.trial,
            labels=source.about.labels,
            licence=source.about.licence,
            seed=sensor_seed(source, self.settings) if virtual else None,
            seconds=round(len(recording) / recording.rate_hz, 3),
            samples=len(recording),
            rate_hz=recording.rate_hz,
            sites=recording.sites,
            stages=records,
        )
