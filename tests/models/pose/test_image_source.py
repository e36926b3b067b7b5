"""Image sources against files that OpenCV wrote here, real videos and a small network camera of our own."""

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from fitmotion_models.pose.image_source import (
    MIN_SIDE,
    SourceError,
    SourceLostError,
    media_stamp,
    open_source,
    webcam_numbers,
)

MEDIA = Path(os.environ.get("FITMOTION_DATA", Path(__file__).parents[4] / "shared" / "data")) / "media"
WIDTH, HEIGHT, FRAMES, FPS = 96, 64, 25, 25.0


def shade(index: int) -> int:
    """The grey of frame `index`: far enough from its neighbours to survive a lossy codec."""
    return 5 + 10 * index


def grey(index: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    return np.full((height, width, 3), shade(index), np.uint8)


def write_video(path: Path, fps: float = FPS) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (WIDTH, HEIGHT))
    for index in range(FRAMES):
        writer.write(grey(index))
    writer.release()
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "ramp.avi")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "images"
    place.mkdir()
    for index in range(12):
        cv2.imwrite(str(place / f"frame{index}.png"), grey(index))
    (place / "notes.txt").write_text("not an image")
    return place


def read_all(source) -> list:
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    return frames


def test_a_video_gives_every_frame_in_order_and_in_media_time(video: Path) -> None:
    source = open_source(str(video))
    frames = read_all(source)
    assert (source.width, source.height, source.fps, source.frame_count, source.live) == (WIDTH, HEIGHT, FPS, 25, False)
    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert [frame.stamp for frame in frames] == [index / 25 for index in range(FRAMES)]
    for index, frame in enumerate(frames):
        assert abs(frame.image_bgr.mean() - shade(index)) < 3
    assert source.read() is None


def test_rewinding_and_skipping_keep_index_stamp_and_image_together(video: Path) -> None:
    source = open_source(str(video))
    assert source.skip() and source.skip()
    frame = source.read()
    assert (frame.index, frame.stamp) == (2, 0.08)
    assert abs(frame.image_bgr.mean() - shade(2)) < 3
    while source.skip():
        pass
    assert source.read() is None
    source.rewind()
    again = source.read()
    assert (again.index, again.stamp) == (0, 0.0)
    assert abs(again.image_bgr.mean() - shade(0)) < 3
    source.close()
    source.close()


def test_a_stamp_is_a_whole_nanosecond_for_crooked_rates() -> None:
    for fps in (29.97, 30000 / 1001, 30.1129234629862, 23.976):
        for index in (1, 7, 100_000):
            nanoseconds = media_stamp(index, fps) * 1e9
            assert abs(nanoseconds - round(nanoseconds)) < 1e-2
            assert media_stamp(index, fps) == pytest.approx(index / fps, abs=0.6e-9)


def test_a_folder_is_read_in_natural_order(folder: Path) -> None:
    source = open_source(str(folder))
    frames = read_all(source)
    assert [round(frame.image_bgr.mean()) for frame in frames] == [shade(index) for index in range(12)]
    assert [frame.stamp for frame in frames] == [media_stamp(index, 30.0) for index in range(12)]
    assert (source.fps, source.frame_count) == (30.0, 12)
    source.rewind()
    assert source.skip()
    assert round(source.read().image_bgr.mean()) == shade(1)


def test_a_folders_rate_is_the_given_one(folder: Path) -> None:
    source = open_source(str(folder), fps=10.0)
    assert [source.read().stamp for _ in range(3)] == [0.0, 0.1, 0.2]


def test_one_image_is_a_source_of_one_frame(folder: Path) -> None:
    assert len(read_all(open_source(str(folder / "frame3.png")))) == 1


def test_a_grey_image_comes_as_three_channels(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((HEIGHT, WIDTH), 77, np.uint8))
    image = open_source(str(tmp_path / "grey.png")).read().image_bgr
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert np.all(image == 77)


@pytest.mark.parametrize("spec", ["", "  "])
def test_an_empty_source_is_refused(spec: str) -> None:
    with pytest.raises(SourceError, match="source is empty"):
        open_source(spec)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"missing\.mp4: no such file"):
        open_source(str(tmp_path / "missing.mp4"))


@pytest.mark.parametrize("content", ["hello, I am text\n" * 200, "x"])
def test_a_text_file_named_mp4_is_no_video(tmp_path: Path, content: str, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "text.mp4"
    path.write_text(content)
    with pytest.raises(SourceError, match=r"text\.mp4: not a video"):
        open_source(str(path))
    written = capfd.readouterr()
    assert written.out + written.err == ""  # the libraries' own lines would bury ours


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    with pytest.raises(SourceError, match="the file is empty"):
        open_source(str(path))


def test_a_cut_off_video_is_refused(video: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.avi"
    cut.write_bytes(video.read_bytes()[:600])
    with pytest.raises(SourceError, match=r"cut\.avi"):
        open_source(str(cut))


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing here")
    with pytest.raises(SourceError, match="holds no images"):
        open_source(str(tmp_path))


def test_images_of_different_sizes_are_named(folder: Path) -> None:
    cv2.imwrite(str(folder / "frame5.png"), grey(5, width=WIDTH + 2))
    source = open_source(str(folder))
    for _ in range(5):
        source.read()
    with pytest.raises(SourceError, match=r"frame5\.png: is 98x64 pixels.*96x64"):
        source.read()


def test_an_unreadable_image_is_named(folder: Path) -> None:
    (folder / "frame1.png").write_text("no image")
    source = open_source(str(folder))
    source.read()
    with pytest.raises(SourceError, match=r"frame1\.png: cannot be read as an image"):
        source.read()


def test_an_image_of_four_pixels_is_too_small(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "tiny.png"), np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(SourceError, match="2x2 pixels, smaller than a pose can be found in"):
        open_source(str(tmp_path / "tiny.png"))
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((MIN_SIDE, MIN_SIDE, 3), np.uint8))
    assert open_source(str(tmp_path / "small.png")).width == MIN_SIDE


def test_a_camera_that_is_not_there_is_said_to_be_missing() -> None:
    number = max(webcam_numbers(), default=-1) + 1
    with pytest.raises(SourceError, match=rf"camera {number} is not connected"):
        open_source(str(number))


def test_an_address_without_video_hides_the_password() -> None:
    with pytest.raises(SourceError) as caught:
        open_source("rtsp://operator:secret@127.0.0.1:9/stream")
    assert "secret" not in str(caught.value)
    assert "operator" in str(caught.value)


class _Camera:
    """A network camera: an endless MJPEG stream over HTTP, as IP cameras send it."""

    def __init__(self, port: int = 0) -> None:
        camera = self
        self._open = True

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                jpeg = cv2.imencode(".jpg", grey(10))[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
                while camera._open:
                    try:
                        self.wfile.write(head + jpeg + b"\r\n")
                    except OSError:
                        return
                    time.sleep(0.01)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def pull_the_plug(self) -> None:
        self._open = False
        self._server.shutdown()
        self._server.server_close()


def test_a_network_camera_is_stamped_on_arrival_lost_and_found_again() -> None:
    camera = _Camera()
    before = time.time()
    source = open_source(f"http://127.0.0.1:{camera.port}/video.mjpg")
    try:
        assert source.live and source.frame_count is None
        frames = [source.read() for _ in range(5)]
        stamps = [frame.stamp for frame in frames]
        assert before <= stamps[0] and stamps == sorted(stamps) and stamps[-1] <= time.time()
        assert abs(frames[-1].image_bgr.mean() - shade(10)) < 3
        camera.pull_the_plug()
        with pytest.raises(SourceLostError, match="gives no more frames"):
            while True:
                source.read()
        with pytest.raises(SourceError, match="no video there"):
            source.reopen()
        camera = _Camera(camera.port)
        source.reopen()
        assert source.read().index > 4
    finally:
        camera.pull_the_plug()
        source.close()


def test_a_video_that_was_filmed_upright_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "phone.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[:, : WIDTH // 2] = 255
    for _ in range(5):
        writer.write(image)
    writer.release()
    # ISO 14496-12: the track header's matrix (a b u c d v x y w); this one turns by 90 degrees clockwise
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    assert data[start : start + 4] == (1 << 16).to_bytes(4, "big")
    turned = (0, 1 << 16, 0, -(1 << 16), 0, 0)
    data[start : start + 24] = b"".join(value.to_bytes(4, "big", signed=True) for value in turned)
    path.write_bytes(data)
    source = open_source(str(path))
    frame = source.read().image_bgr
    assert (source.width, source.height) == (HEIGHT, WIDTH) == (frame.shape[1], frame.shape[0])
    assert frame[: WIDTH // 2 - 8].mean() > 240  # the left half has become the upper one
    assert frame[WIDTH // 2 + 8 :].mean() < 15


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("overhead_squat_7027.mov", marks=pytest.mark.slow),  # three seconds of decoding
        "pose2sim_cam03.mp4",
    ],
)
def test_a_real_video_has_the_frames_and_the_size_that_ffprobe_reports(name: str) -> None:
    # counted with `ffprobe -count_frames`: rotated and reordered (B) frames are where a reader goes wrong
    expected = {
        "overhead_squat_7027.mov": (72, 1080, 1920),
        "pose2sim_cam03.mp4": (100, 1088, 1920),
    }[name]
    if not (MEDIA / name).is_file():
        pytest.skip(f"{MEDIA / name} is missing; set FITMOTION_DATA")
    source = open_source(str(MEDIA / name))
    count = 0
    while source.skip():
        count += 1
    assert (count, source.width, source.height) == expected
    assert source.frame_count == count
