"""Key frames of a screen's repetitions, put into the records as it goes on; faces are made unrecognisable."""

from pathlib import Path

from fitmotion_models.fms.records import Records, Session
from fitmotion_models.fms.records.database import RecordsError
from fitmotion_models.fms.values import Assessment, Verdict
from fitmotion_models.viewer.report import decisive_name
from fitmotion_models.viewer.report_pictures import Picture, common_crop, key_frame_jpeg
from fitmotion_nodes.run_memory import KeptRepetition, Key, RunMemory
from fitmotion_nodes.run_report import picture_of

_PATIENCE = 10  # looks; the scorer keeps a repetition before it tells of it, so that one or two are enough


class ScreenPictures:
    """Call `keep` now and then; what is in the records is not looked at again."""

    def __init__(self, path: Path, memory: RunMemory) -> None:
        self._path, self._memory = path, memory
        self._looks: dict[Key, int] = {}

    def keep(self, repetition_of: dict[Key, tuple[int, Assessment]]) -> int:
        """Put the key frames of what is complete into the records; how many pictures that were.

        repetition_of: number of the session and result of the repetitions of this screen. Raises RecordsError when the
        records cannot be used.
        """
        complete = self._memory.complete()
        due = [key for key in repetition_of if key in complete and self._looks.get(key, 0) < _PATIENCE]
        if not due:
            return 0
        count = 0
        with Records(self._path) as records:
            for key in due:
                number, assessment = repetition_of[key]
                self._looks[key] = self._looks.get(key, 0) + 1
                count += self._keep(records, records.session(number), assessment, complete[key], key)
        return count

    def _keep(self, records: Records, session: Session, assessment: Assessment, kept: KeptRepetition, key: Key) -> int:
        pictures = {name: picture_of(one, self._memory) for name, one in kept.pictures.items()}
        seen: dict[str, Picture] = {name: one for name, one in pictures.items() if one is not None}
        crop = common_crop(seen.values())
        failing = [one for one in assessment.criteria if one.verdict is Verdict.NOT_MET]
        decisive = decisive_name(assessment)
        try:
            for name, one in seen.items():
                jpeg = key_frame_jpeg(one, failing if name == decisive else (), crop=crop)
                records.add_picture(session, assessment, name, jpeg)
        except RecordsError:
            return 0  # the repetition is not there yet
        self._looks[key] = _PATIENCE
        return len(seen)
