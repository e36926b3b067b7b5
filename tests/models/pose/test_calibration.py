"""Rigs calibrated from videos of a board that are rendered through cameras we know."""

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests.models.pose.rigs import looking_at
from typer.testing import CliRunner

from fitmotion_models.cli import app
from fitmotion_models.pose.calibration import CameraViews, calibrate
from fitmotion_models.pose.calibration_board import Board
from fitmotion_models.pose.calibration_videos import read_board_videos
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.rig import Rig

WIDTH, HEIGHT = 640, 480
MODELS = [
    CameraModel(WIDTH, HEIGHT, 560.0, 556.0, 325.0, 236.0, (-0.12, 0.05, 0.001, -0.0008, 0.0)),
    CameraModel(WIDTH, HEIGHT, 610.0, 612.0, 314.0, 245.0, (0.05, -0.04, 0.0, 0.001, 0.0)),
    CameraModel(WIDTH, HEIGHT, 585.0, 583.0, 330.0, 250.0, (-0.08, 0.02, 0.0, 0.0, 0.0)),
]
TRUTH = Rig(
    tuple(
        looking_at(f"cam{i + 1}", azimuth, distance=1.5, height=1.1, target=(0.1, -0.1, 0.25), model=model)
        for i, (azimuth, model) in enumerate(zip((-0.5, 0.1, 0.7), MODELS, strict=True))
    ),
    "truth",
)
PER_SQUARE = 60


def ways_of_the_board(board: Board, count: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rotation (board to world) and place of the origin: first flat on the floor, then carried about and turned."""
    rng = np.random.default_rng(seed)
    flat = np.diag([1.0, -1.0, -1.0])
    middle = np.array([*board.size, 0.0]) / 2
    ways = [(flat, np.zeros(3))]
    towards = np.array([1.0, 0.05, 0.75])  # where the cameras are
    for _ in range(count - 1):
        up = towards / np.linalg.norm(towards)
        along = np.cross([0.0, 0.0, 1.0], up)
        along /= np.linalg.norm(along)
        facing = np.stack([along, np.cross(-up, along), -up], axis=1)
        turn = facing @ Rotation.from_euler("xyz", rng.uniform(-0.55, 0.55, 3)).as_matrix()
        centre = np.array([0.1, -0.1, 0.3]) + rng.uniform(-1, 1, 3) * (0.25, 0.35, 0.2)
        ways.append((turn, centre - turn @ middle))
    return ways


class Renderer:
    """What a camera sees of a flat board: every pixel's ray through the lens, cut with the board's plane."""

    def __init__(self, camera, board: Board) -> None:
        self.camera, self.board = camera, board
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(float)
        rays = camera.model.rays(np.stack([x, y], axis=-1))
        self.rays = np.concatenate([rays, np.ones((HEIGHT, WIDTH, 1))], axis=-1)
        border = PER_SQUARE // 2
        self.texture = cv2.copyMakeBorder(board.picture(PER_SQUARE), *[border] * 4, cv2.BORDER_CONSTANT, value=255)
        self.border = border

    def __call__(self, turn: np.ndarray, origin: np.ndarray) -> np.ndarray:
        rotation = self.camera.rotation @ turn
        place = self.camera.rotation @ origin + self.camera.translation
        homography = np.linalg.inv(np.column_stack([rotation[:, 0], rotation[:, 1], place]))
        plane = self.rays @ homography.T
        plane = plane[..., :2] / plane[..., 2:]
        texture = (plane / self.board.square * PER_SQUARE + self.border - 0.5).astype(np.float32)
        grey = cv2.remap(
            self.texture,
            texture[..., 0],
            texture[..., 1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=128,
        )
        return cv2.cvtColor(cv2.GaussianBlur(grey, (3, 3), 0.7), cv2.COLOR_GRAY2BGR)


def film(folder, board: Board, count: int = 22, seed: int = 1) -> list[str]:
    ways, paths = ways_of_the_board(board, count, seed), []
    for camera in TRUTH.cameras:
        render, path = Renderer(camera, board), folder / f"{camera.name}.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5.0, (WIDTH, HEIGHT))
        for turn, origin in ways:
            writer.write(render(turn, origin))
        writer.release()
        paths.append(str(path))
    return paths


BOARDS = [Board("charuco", 7, 5, 0.08, 0.06), Board("checkerboard", 8, 5, 0.07)]


@pytest.mark.slow
@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.kind)
def test_cameras_come_out_where_they_stood_when_the_board_was_rendered(tmp_path, board) -> None:
    paths = film(tmp_path, board)
    videos = read_board_videos(paths, TRUTH.names, board)
    found = calibrate(board, [video.views for video in videos])
    assert not [text for text in found.warnings if "floor" in text]
    for camera in TRUTH.cameras:
        got, error = found.rig.camera(camera.name), found.errors[camera.name]
        assert error.rms < 0.4 and error.views > 10
        assert abs(got.model.fx / camera.model.fx - 1) < 0.01 and abs(got.model.fy / camera.model.fy - 1) < 0.01
        assert np.hypot(got.model.cx - camera.model.cx, got.model.cy - camera.model.cy) < 6.0
        assert np.linalg.norm(got.position - camera.position) < 0.02
        turned = Rotation.from_matrix(got.rotation @ camera.rotation.T).magnitude()
        assert np.degrees(turned) < 0.5
    # what counts in the end: where points of a person would come out
    points = np.random.default_rng(0).uniform((-0.2, -0.3, 0.0), (0.4, 0.2, 0.6), (30, 3))
    off = [
        np.linalg.norm(found.rig.camera(camera.name).project(points) - camera.project(points), axis=-1)
        for camera in TRUTH.cameras
    ]
    assert np.median(off) < 2.0


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.kind)
def test_corners_are_found_where_they_are_and_the_same_upside_down(board) -> None:
    camera = TRUTH.cameras[1]
    render = Renderer(camera, board)
    for turn, origin in ways_of_the_board(board, 4, 3)[1:]:
        half = turn @ np.diag([-1.0, -1.0, 1.0])
        opposite = origin + turn @ np.array([*board.size, 0.0])
        for way, start in ((turn, origin), (half, opposite)):
            view = board.detect(render(way, start))
            assert view is not None
            expected = camera.project(board.points[view.corners] @ way.T + start)
            assert np.abs(view.pixels - expected).max() < 1.0


def test_nothing_is_found_where_no_board_is() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    assert all(board.detect(noise) is None for board in BOARDS)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "dots"}, "known: charuco, checkerboard"),
        ({"kind": "checkerboard", "columns": 8, "rows": 6}, "looks the same upside down"),
        ({"square": 38.0}, "give metres"),
        ({"marker": 0.05}, "do not fit"),
        ({"columns": 30, "rows": 20}, "more than 100 markers"),
        ({"columns": 2}, "too small"),
    ],
)
def test_boards_that_cannot_be_are_refused(given, said) -> None:
    with pytest.raises(ValueError, match=said):
        Board(**given)


def test_too_few_views_are_said() -> None:
    with pytest.raises(ValueError, match="cam1: the board is found in 0 of its images"):
        calibrate(BOARDS[0], [CameraViews("cam1", (WIDTH, HEIGHT), {})])


@pytest.mark.slow
def test_a_printed_board_is_a_board_in_true_size(tmp_path) -> None:
    sheet = tmp_path / "board.png"
    result = CliRunner().invoke(app, ["calibrate", "--print-board", str(sheet)])
    assert result.exit_code == 0 and "on A4" in result.output
    picture = cv2.imread(str(sheet), cv2.IMREAD_GRAYSCALE)
    assert picture.shape == (2480, 3507)  # A4 at 300 dots an inch
    view = Board().detect(cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA))
    assert view is not None and len(view.corners) == 24
    step = np.linalg.norm(view.pixels[1] - view.pixels[0]) / 75 * 0.0254
    assert step == pytest.approx(0.038, abs=0.0003)


def test_the_command_says_what_is_missing(tmp_path) -> None:
    for arguments, said in (
        (["a.mp4"], "1 videos: give two or more"),
        (["a.mp4", "b.mp4", "-o", str(tmp_path / "rig.json")], "a rig is written as .toml"),
        (["a.mp4", "b.mp4", "-o", str(tmp_path / "rig.toml")], "a.mp4: no such file"),
        (["--print-board", str(tmp_path / "b.pdf"), "--square", "0.4"], "fits on no sheet"),
    ):
        result = CliRunner().invoke(app, ["calibrate", *arguments])
        assert result.exit_code == 2 and said in result.output
