"""Several videos of one movement: read together, each frame's landmarks found, put together by stamp, made a body."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fitmotion_models.pose.backends import BackendChoice, PoseBackend, make_backend
from fitmotion_models.pose.image_source import ImageSource, open_source
from fitmotion_models.pose.keypoints import Keypoints
from fitmotion_models.pose.offsets import Offsets, Track, find_offsets
from fitmotion_models.pose.rig import Rig
from fitmotion_models.pose.rig_estimator import RigEstimator
from fitmotion_models.pose.rig_files import read_rig
from fitmotion_models.pose.synchronise import TOLERANCE_S, Instant, RecordedInstants
from fitmotion_models.skeleton.body_pose import BodyPose

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, eq=False)
class RigPoses:
    """The bodies of a rig's recording.

    poses: one a frame of the first video, None where nobody was seen by two cameras.
    fps: of the first video. frame_count: of the first video, None where it is not known. rig: fitted to the videos.
    offsets: how the videos' starts differ, where that was asked for.
    """

    poses: Iterator[BodyPose | None]
    fps: float
    frame_count: int | None
    rig: Rig
    offsets: Offsets | None = None


class RigRecording:
    """Videos of a rig's cameras, in the order of the calibration.

    specs: video files or folders of images. calibration: see `rig_files.read_rig`. tolerance: seconds by which frames
    of one instant may differ. Raises ValueError (SourceError) with one sentence for what cannot be used.
    """

    def __init__(self, specs: Sequence[str], calibration: str | Path, *, tolerance: float = TOLERANCE_S) -> None:
        rig = read_rig(calibration).of_sources(specs)
        self._tolerance = tolerance
        self.sources: list[ImageSource] = []
        try:
            for spec in specs:
                self.sources.append(open_source(spec))
                if self.sources[-1].live:
                    raise ValueError(f"{spec} is live and has no end; `assess` takes recordings, `up` takes cameras")
            self.rig = rig.fitting([(source.width, source.height) for source in self.sources])
        except ValueError:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the files."""
        for source in self.sources:
            source.close()

    def poses(
        self, *, subject: str = "person", backend: str | BackendChoice = "mediapipe", find_offset: bool = False
    ) -> RigPoses:
        """The bodies, frame by frame of the first video.

        find_offset: the videos start at different times; how much is found from the person's movement, for which all
        landmarks are found first.
        """
        estimator = RigEstimator(self.rig, subject=subject)
        first = self.sources[0]
        if not find_offset:
            bodies = _bodies(self._instants(_detect_live(self.sources, backend), ()), estimator)
            return RigPoses(bodies, first.fps, first.frame_count, self.rig)
        tracks = self.tracks(backend)
        offsets = find_offsets(tracks, self.rig)
        frames = _in_turn([iter(zip(track.stamps, track.views, strict=True)) for track in tracks])
        bodies = _bodies(self._instants(frames, offsets.seconds), estimator)
        return RigPoses(bodies, first.fps, len(tracks[0].stamps), self.rig, offsets)

    def tracks(self, backend: str | BackendChoice = "mediapipe", progress: Progress | None = None) -> list[Track]:
        """All landmarks of all videos. Raises ValueError for a video without frames."""
        total = sum(source.frame_count or 0 for source in self.sources) or None
        found: list[tuple[tuple[float, Keypoints | None], ...]] = []
        for source in self.sources:
            views: list[tuple[float, Keypoints | None]] = []
            for item in _views(source, backend):
                views.append(item)
                if progress is not None:
                    progress(sum(map(len, found)) + len(views), total)
            found.append(tuple(views))
        return [Track(tuple(stamp for stamp, _ in views), tuple(view for _, view in views)) for views in found]

    def _instants(
        self, frames: Iterator[tuple[int, float, Keypoints | None] | int], offsets: Sequence[float]
    ) -> Iterator[Instant[Keypoints]]:
        together: RecordedInstants[Keypoints] = RecordedInstants(len(self.sources), self._tolerance, offsets)
        for item in frames:
            yield from together.end(item) if isinstance(item, int) else together.add(*item)


def _bodies(instants: Iterator[Instant[Keypoints]], estimator: RigEstimator) -> Iterator[BodyPose | None]:
    for instant in instants:
        yield estimator.update(instant.views, instant.stamp).pose


def _views(source: ImageSource, backend: str | BackendChoice) -> Iterator[tuple[float, Keypoints | None]]:
    """Stamps and landmarks of one video; each camera has a backend of its own, as it tracks from frame to frame."""
    find: PoseBackend = make_backend(backend)
    try:
        while (frame := source.read()) is not None:
            image = np.ascontiguousarray(frame.image_bgr[:, :, ::-1])
            yield frame.stamp, find(image, frame.stamp)
    finally:
        find.close()


def _detect_live(
    sources: Sequence[ImageSource], backend: str | BackendChoice
) -> Iterator[tuple[int, float, Keypoints | None] | int]:
    return _in_turn([_views(source, backend) for source in sources])


def _in_turn(
    videos: Sequence[Iterator[tuple[float, Keypoints | None]]],
) -> Iterator[tuple[int, float, Keypoints | None] | int]:
    """Frames (camera, stamp, landmarks) of all videos in the order of their stamps; a camera's number at its end."""
    heads = [next(video, None) for video in videos]
    for camera, head in enumerate(heads):
        if head is None:
            yield camera
    while any(head is not None for head in heads):
        camera = min(
            (index for index, head in enumerate(heads) if head is not None),
            key=lambda index: (heads[index][0], index),  # type: ignore[index]
        )
        stamp, view = heads[camera]  # type: ignore[misc]
        yield camera, stamp, view
        heads[camera] = next(videos[camera], None)
        if heads[camera] is None:
            yield camera
