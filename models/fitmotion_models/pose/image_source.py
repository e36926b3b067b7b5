"""Where images come from: a video file, a folder of images, a webcam or a network camera behind one interface.

Files and folders give media time: frame k has the stamp k / fps, with the average rate that the container states, so
that two readers of one file agree to the nanosecond. Live sources give the time at which the frame arrived.
"""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

# FFmpeg and OpenCV write their own lines about every file they cannot open; ours say it once and say what to do
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np
from numpy.typing import NDArray

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
FOLDER_FPS = 30.0
MIN_SIDE = 32  # pixels; MediaPipe's landmark model looks at 256x256: a whole person in less than this is a smudge
MAX_FPS = 1000.0  # containers without a constant rate state their clock (often 90000) instead
NETWORK_TIMEOUT_MS = 5000
# TCP, because lost UDP packets smear the picture for seconds; no buffering in front of the decoder. OpenCV takes these
# from the environment only, where they would cost a file with reordered frames a third of them: set while connecting
_NETWORK_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay"
_OPTIONS_VARIABLE = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_QUIET = 0  # cv2.utils.logging: SILENT

Image = NDArray[np.uint8]


class SourceError(ValueError):
    """A source that cannot be used; the text is one sentence that names it and says what to do."""


class SourceLostError(SourceError):
    """A live source that was there and has stopped giving frames; `reopen` may bring it back."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One image. index: 0, 1, ... since the source was opened. stamp: seconds. image_bgr: (H, W, 3) uint8, upright."""

    index: int
    stamp: float
    image_bgr: Image


class ImageSource(Protocol):
    """An open source of images, all of one size.

    spec: what was asked for, without passwords. fps: nominal frame rate, Hz. width, height: pixels, after rotation.
    frame_count: how many frames there will be (a container's count is an estimate), None where there is no end.
    live: True when frames arrive whether or not they are read.
    """

    spec: str
    fps: float
    width: int
    height: int
    frame_count: int | None
    live: bool

    def read(self) -> Frame | None:
        """The next frame, None at the end. A live source waits for one and raises SourceLostError when it is gone."""

    def skip(self) -> bool:
        """Pass over one frame, cheaper than reading it; False at the end."""

    def rewind(self) -> None:
        """Start again at frame 0 (files and folders)."""

    def reopen(self) -> None:
        """Try once to bring a lost live source back; raises SourceError when it is not there."""

    def close(self) -> None:
        """Let go of the file or device; may be called twice."""


def open_source(
    spec: str,
    *,
    fps: float | None = None,
    width: int | None = None,
    height: int | None = None,
    clock: Callable[[], float] = time.time,
) -> ImageSource:
    """Open a video file, a folder of images, one image, a webcam number or an address (rtsp://, http://).

    fps: rate of a folder (default 30) or of a file that does not state one; asked of a webcam.
    width, height: pixels, asked of a webcam; other sources come as they are. clock: seconds, stamps of live frames.
    The first frame is read at once, so that what cannot be used is found here.
    Raises SourceError: missing, unreadable, empty or too small a source.
    """
    if not spec.strip():
        raise SourceError("the source is empty; give a video file, a folder of images, a webcam number or an address")
    if spec.isdecimal() or re.fullmatch(r"/dev/video\d+", spec):
        return Webcam(int(spec.removeprefix("/dev/video")), fps=fps, width=width, height=height, clock=clock)
    if "://" in spec:
        return NetworkCamera(spec, clock=clock)
    path = Path(spec).expanduser()
    if not path.exists():
        hint = "; a webcam is given by its number, 0 for the first" if not path.suffix else ""
        raise SourceError(f"{spec}: no such file or folder{hint}")
    if path.is_dir():
        return ImageFolder(spec, _images_in(spec, path), fps=fps)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageFolder(spec, [path], fps=fps)
    return VideoFile(spec, path, fps=fps)


def media_stamp(index: int, fps: float) -> float:
    """Media time of a frame in seconds, on a whole nanosecond so that it survives a ROS stamp unchanged."""
    return round(index / fps * 1e9) / 1e9


class VideoFile:
    """Frames of a video file in media time, upright as its rotation metadata says."""

    live = False

    def __init__(self, spec: str, path: Path, *, fps: float | None = None) -> None:
        self.spec = spec
        self._path = path
        if not os.access(path, os.R_OK):
            raise SourceError(f"{spec}: not readable; check its permissions")
        if path.stat().st_size == 0:
            raise SourceError(f"{spec}: the file is empty")
        self._capture = self._open()
        self.fps = _stated_fps(self._capture, fps)
        if self.fps <= 0.0:
            raise SourceError(f"{spec}: does not state its frame rate; give fps")
        first = self._grab_image()
        if first is None:
            raise SourceError(
                f"{spec}: holds no frame that can be decoded; convert it with: ffmpeg -i {spec} video.mp4"
            )
        self.height, self.width = _checked_size(spec, first)
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frame_count: int | None = count if count > 0 else None
        self._waiting: Image | None = first
        self._index = 0

    def read(self) -> Frame | None:
        """The next frame, None at the end."""
        image = self._waiting if self._waiting is not None else self._grab_image()
        self._waiting = None
        if image is None:
            return None
        if image.shape[:2] != (self.height, self.width):
            raise SourceError(
                f"{self.spec}: frame {self._index} is {image.shape[1]}x{image.shape[0]} pixels, "
                f"the first was {self.width}x{self.height}; cut the video where its size changes"
            )
        frame = Frame(self._index, media_stamp(self._index, self.fps), image)
        self._index += 1
        return frame

    def skip(self) -> bool:
        """Pass over one frame without converting it to an image."""
        if self._waiting is not None:
            self._waiting = None
        elif not self._capture.grab():
            return False
        self._index += 1
        return True

    def rewind(self) -> None:
        """Start again at frame 0; the file is opened anew, as seeking is not exact in every container."""
        self._capture.release()
        self._capture = self._open()
        self._waiting = None
        self._index = 0

    def reopen(self) -> None:
        """A file is not lost: nothing to do."""

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def _open(self) -> Any:
        capture = _quietly(lambda: cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG))
        if not capture.isOpened():
            raise SourceError(f"{self.spec}: not a video; give an mp4, mov, avi, mkv or webm file")
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        return capture

    def _grab_image(self) -> Image | None:
        found, image = self._capture.read()
        return image if found else None


class ImageFolder:
    """The images of a folder in natural order (frame2 before frame10), at a constant rate."""

    live = False

    def __init__(self, spec: str, paths: list[Path], *, fps: float | None = None) -> None:
        self.spec = spec
        self.fps = fps or FOLDER_FPS
        self.frame_count: int | None = len(paths)
        self._paths = paths
        self._index = 0
        first = self._load(paths[0])
        self.height, self.width = _checked_size(str(paths[0]), first)
        self._waiting: Image | None = first

    def read(self) -> Frame | None:
        """The next image, None after the last."""
        if self._index >= len(self._paths):
            return None
        path = self._paths[self._index]
        image = self._waiting if self._waiting is not None else self._load(path)
        self._waiting = None
        if image.shape[:2] != (self.height, self.width):
            raise SourceError(
                f"{path}: is {image.shape[1]}x{image.shape[0]} pixels, the first image of the folder is "
                f"{self.width}x{self.height}; all must have one size"
            )
        frame = Frame(self._index, media_stamp(self._index, self.fps), image)
        self._index += 1
        return frame

    def skip(self) -> bool:
        """Pass over one image without reading it."""
        self._waiting = None
        self._index += 1
        return self._index <= len(self._paths)

    def rewind(self) -> None:
        """Start again at the first image."""
        self._waiting = None
        self._index = 0

    def reopen(self) -> None:
        """A folder is not lost: nothing to do."""

    def close(self) -> None:
        """Nothing is held open."""

    @staticmethod
    def _load(path: Path) -> Image:
        image = _quietly(lambda: cv2.imread(str(path), cv2.IMREAD_COLOR_BGR))
        if image is None:
            raise SourceError(f"{path}: cannot be read as an image; replace or remove it")
        return np.asarray(image, dtype=np.uint8)


class _LiveSource:
    """What webcams and network cameras share: frames are stamped on arrival and the device can go and come back."""

    live = True
    frame_count: int | None = None

    def __init__(self, spec: str, clock: Callable[[], float], fps: float | None) -> None:
        self.spec = spec
        self._clock = clock
        self._index = 0
        self._waiting: tuple[float, Image] | None = None
        self._capture = self._connect()
        self.fps = _stated_fps(self._capture, fps) or FOLDER_FPS
        self._read_first()

    def read(self) -> Frame | None:
        """The next frame; raises SourceLostError when the camera gives no more."""
        stamp, image = self._waiting or self._next_image()
        self._waiting = None
        frame = Frame(self._index, stamp, image)
        self._index += 1
        return frame

    def skip(self) -> bool:
        """Pass over one frame."""
        self.read()
        return True

    def rewind(self) -> None:
        """A camera has no beginning to go back to."""
        raise SourceError(f"{self.spec}: a camera cannot be rewound")

    def reopen(self) -> None:
        """Try once to connect again; raises SourceError when the camera is not there."""
        self.close()
        self._capture = self._connect()
        self._read_first()

    def close(self) -> None:
        """Let go of the camera."""
        self._capture.release()

    def _read_first(self) -> None:
        try:
            self._waiting = self._next_image()
        except SourceLostError:
            self.close()
            raise SourceError(f"{self.spec}: opens but gives no picture; is another program using it?") from None
        self.height, self.width = _checked_size(self.spec, self._waiting[1])

    def _next_image(self) -> tuple[float, Image]:
        if not self._capture.grab():
            raise SourceLostError(f"{self.spec}: gives no more frames")
        stamp = self._clock()
        found, image = self._capture.retrieve()
        if not found:
            raise SourceLostError(f"{self.spec}: gave a frame that cannot be decoded")
        return stamp, image

    def _connect(self) -> Any:
        raise NotImplementedError


class Webcam(_LiveSource):
    """A camera of this machine by its number (Video4Linux)."""

    def __init__(
        self,
        number: int,
        *,
        fps: float | None = None,
        width: int | None = None,
        height: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._number = number
        self._wanted = {cv2.CAP_PROP_FRAME_WIDTH: width, cv2.CAP_PROP_FRAME_HEIGHT: height, cv2.CAP_PROP_FPS: fps}
        super().__init__(f"camera {number}", clock, fps)

    def _connect(self) -> Any:
        device = Path(f"/dev/video{self._number}")
        if not device.exists():
            present = ", ".join(str(number) for number in webcam_numbers()) or "none"
            raise SourceError(f"camera {self._number} is not connected (no {device}); cameras found: {present}")
        capture = _quietly(lambda: cv2.VideoCapture(self._number, cv2.CAP_V4L2))
        if not capture.isOpened():
            reason = (
                "in use by another program" if os.access(device, os.R_OK | os.W_OK) else "not allowed for this user"
            )
            raise SourceError(f"camera {self._number} ({device}) cannot be opened: {reason}, or no capture device")
        # MJPG: uncompressed YUYV does not fit through USB 2 at 30 fps above 640x480
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        for name, value in self._wanted.items():
            if value:
                capture.set(name, value)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture


class NetworkCamera(_LiveSource):
    """A camera at an address that FFmpeg understands: rtsp://, http:// (MJPEG), udp://, ..."""

    def __init__(self, address: str, *, clock: Callable[[], float] = time.time) -> None:
        self._address = address
        super().__init__(_without_password(address), clock, None)

    def _connect(self) -> Any:
        timeouts = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            NETWORK_TIMEOUT_MS,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            NETWORK_TIMEOUT_MS,
        ]
        set_by_user = _OPTIONS_VARIABLE in os.environ
        os.environ.setdefault(_OPTIONS_VARIABLE, _NETWORK_OPTIONS)
        try:
            capture = _quietly(lambda: cv2.VideoCapture(self._address, cv2.CAP_FFMPEG, timeouts))
        finally:
            if not set_by_user:
                del os.environ[_OPTIONS_VARIABLE]
        if not capture.isOpened():
            raise SourceError(f"{_without_password(self._address)}: no video there; check the address and the network")
        return capture


def webcam_numbers() -> list[int]:
    """Numbers of the video devices of this machine, rising; some may be no cameras (metadata devices)."""
    names = (re.fullmatch(r"video(\d+)", path.name) for path in Path("/dev").glob("video*"))
    return sorted(int(name.group(1)) for name in names if name)


def _images_in(spec: str, folder: Path) -> list[Path]:
    images = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]
    if not images:
        raise SourceError(f"{spec}: the folder holds no images; wanted: {', '.join(IMAGE_SUFFIXES)}")
    return sorted(images, key=lambda path: _natural_key(path.name))


def _natural_key(name: str) -> list[tuple[int, int, str]]:
    """Digits compare as numbers, so that frame2 comes before frame10."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), part) if part.isdecimal() else (1, 0, part.lower()) for part in parts]


def _stated_fps(capture: Any, fallback: float | None) -> float:
    """The rate that a capture states, else the fallback, else 0."""
    stated = float(capture.get(cv2.CAP_PROP_FPS))
    return stated if 0.0 < stated <= MAX_FPS else float(fallback or 0.0)


def _checked_size(name: str, image: Image) -> tuple[int, int]:
    height, width = image.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise SourceError(
            f"{name}: {width}x{height} pixels, smaller than a pose can be found in (at least {MIN_SIDE}x{MIN_SIDE})"
        )
    return int(height), int(width)


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    if parts.password is None:
        return address
    place = f"{parts.username}:***@{parts.netloc.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=place))


def _quietly(call: Callable[[], Any]) -> Any:
    """Call OpenCV without its own warnings on stderr: our error says the same in one line."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(_QUIET)
    try:
        return call()
    except cv2.error:
        return None
    finally:
        cv2.utils.logging.setLogLevel(before)
