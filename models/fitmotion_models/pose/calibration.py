"""Calibration of a rig from videos of a board: lenses one by one, places from shared views, then all together.

Zhang 2000 for each lens; every pair of cameras that sees the board at one instant gives their relative place; bundle
adjustment (Triggs et al. 2000) refines lenses, places and the board's ways by the reprojection error of every corner.
The world's frame is that of the board as it lies on the floor: z up.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.sparse import lil_matrix
from scipy.spatial.transform import Rotation

from fitmotion_models.pose.calibration_board import Board, BoardView
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.pose.rig import Rig, RigCamera

Array = NDArray[np.float64]
Say = Callable[[str], None]

# Views of the board that a lens is calibrated from at most; more cost time and tell nothing new.
MOST_VIEWS = 40
LEAST_VIEWS = 5
# Instants at which several cameras see the board, used at most and needed by each camera at least.
MOST_INSTANTS = 80
LEAST_SHARED = 4
# Corners farther off than this count less and less in the adjustment, pixels.
_ROBUST_PIXELS = 2.0
_LENS = 8  # fx, fy, cx, cy, k1, k2, p1, p2
# The third radial coefficient needs views to the very edge of the image, which few take.
_FLAGS = cv2.CALIB_FIX_K3
# World axes when the board lies on the floor: x along its rows, z up, out of its face.
_BOARD_TO_WORLD = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True, eq=False)
class CameraViews:
    """The board in one camera's video. size: width, height. views: stamp in seconds -> corners."""

    name: str
    size: tuple[int, int]
    views: dict[float, BoardView]


@dataclass(frozen=True)
class CameraErrors:
    """rms, worst: reprojection error of a camera's corners, pixels. views: how many. covered: share of the image."""

    rms: float
    worst: float
    views: int
    covered: float


@dataclass(frozen=True, eq=False)
class Calibrated:
    """rig: the cameras. errors: one a camera. floor_stamp: when the board lay on the floor. instants: shared views."""

    rig: Rig
    errors: dict[str, CameraErrors]
    floor_stamp: float
    instants: int
    warnings: tuple[str, ...]


@dataclass(eq=False)
class _State:
    """What is being found. lenses: (V, 8). cameras: (V, 6) rotation vector and translation, first camera to each.

    boards: (T, 6) board to first camera.
    """

    lenses: Array
    cameras: Array
    boards: Array


@dataclass(frozen=True, eq=False)
class _Observations:
    """Every corner seen: camera, instant and corner numbers (N,), pixels (N, 2)."""

    camera: NDArray[np.int64]
    instant: NDArray[np.int64]
    corner: NDArray[np.int64]
    pixels: Array


def calibrate(
    board: Board, cameras: Sequence[CameraViews], *, floor_at: float | None = None, say: Say = lambda text: None
) -> Calibrated:
    """Calibrate cameras that have filmed the same board at the same time.

    floor_at: when the board lies on the floor, face up, seconds; None: at the first instant that two cameras share.
    say: hears what is being done. Raises ValueError, one sentence, where the views do not suffice.
    """
    lenses = np.stack([_calibrate_lens(board, camera, say) for camera in cameras])
    poses = [
        {stamp: _board_pose(board, view, lenses[index]) for stamp, view in camera.views.items()}
        for index, camera in enumerate(cameras)
    ]
    shared = _shared_stamps([camera.views for camera in cameras])
    if not shared:
        raise ValueError(
            "no two cameras see the board at the same time; start the videos together (or cut them to one start), and "
            "turn the board so that neighbouring cameras see it at once"
        )
    say("placing the cameras by what they see at once")
    floor_stamp = shared[0] if floor_at is None else min(shared, key=lambda stamp: abs(stamp - floor_at))
    stamps = _spread(shared, MOST_INSTANTS, floor_stamp)
    places = _chain(cameras, poses, shared)
    state = _State(lenses, places, _first_boards(poses, places, stamps))
    seen = _observations([camera.views for camera in cameras], stamps)
    say(f"adjusting {len(cameras)} cameras and {len(stamps)} places of the board to {len(seen.pixels)} corners")
    _adjust(board, state, seen)
    rig = _in_world(state, cameras, stamps.index(floor_stamp))
    errors = _errors(board, state, seen, cameras)
    return Calibrated(rig, errors, floor_stamp, len(stamps), tuple(_warnings(rig, errors, floor_stamp)))


def _calibrate_lens(board: Board, camera: CameraViews, say: Say) -> Array:
    if len(camera.views) < LEAST_VIEWS:
        raise ValueError(
            f"{camera.name}: the board is found in {len(camera.views)} of its images, at least {LEAST_VIEWS} are "
            "needed; hold it nearer, still and in even light, and check its kind and its numbers of squares"
        )
    stamps = _spread(sorted(camera.views), MOST_VIEWS)
    say(f"{camera.name}: lens from {len(stamps)} views of the board")
    objects = [board.points[camera.views[stamp].corners].astype(np.float32) for stamp in stamps]
    images = [camera.views[stamp].pixels.astype(np.float32)[:, None] for stamp in stamps]
    guess = CameraModel.guess(*camera.size)
    _, matrix, lens, _, _ = cv2.calibrateCamera(
        objects, images, camera.size, guess.matrix, np.zeros(5), flags=_FLAGS + cv2.CALIB_USE_INTRINSIC_GUESS
    )
    found = np.array([matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2], *np.ravel(lens)[:4]])
    _model(found, camera.size)  # says what is wrong with a lens that none has
    return found


def _model(lens: Array, size: tuple[int, int]) -> CameraModel:
    fx, fy, cx, cy, *distortion = (float(value) for value in lens)
    return CameraModel(*size, fx, fy, cx, cy, (*distortion, 0.0))


def _matrix(lens: Array) -> Array:
    return np.array([[lens[0], 0.0, lens[2]], [0.0, lens[1], lens[3]], [0.0, 0.0, 1.0]])


def _board_pose(board: Board, view: BoardView, lens: Array) -> Array:
    """Rotation vector and translation (6,) from the board to the camera."""
    found, turn, move = cv2.solvePnP(
        board.points[view.corners], view.pixels, _matrix(lens), lens[4:], flags=cv2.SOLVEPNP_IPPE
    )
    if not found:
        return np.full(6, np.nan)
    return np.concatenate([np.ravel(turn), np.ravel(move)])


def _shared_stamps(views: Sequence[dict[float, BoardView]]) -> list[float]:
    counts: dict[float, int] = {}
    for camera in views:
        for stamp in camera:
            counts[stamp] = counts.get(stamp, 0) + 1
    return sorted(stamp for stamp, count in counts.items() if count >= 2)


def _spread(stamps: Sequence[float], most: int, always: float | None = None) -> list[float]:
    """At most so many stamps, evenly spread."""
    chosen = {stamps[int(index)] for index in np.linspace(0, len(stamps) - 1, min(most, len(stamps)))}
    return sorted(chosen | ({always} if always is not None else set()))


def _compose(second: Array, first: Array) -> Array:
    """The rigid motion (6,) that does `first`, then `second`."""
    turn = Rotation.from_rotvec(second[:3])
    both = turn * Rotation.from_rotvec(first[:3])
    return np.concatenate([both.as_rotvec(), turn.apply(first[3:]) + second[3:]])


def _inverse(motion: Array) -> Array:
    back = Rotation.from_rotvec(motion[:3]).inv()
    return np.concatenate([back.as_rotvec(), -back.apply(motion[3:])])


def _mean_motion(motions: Sequence[Array]) -> Array:
    """A mean that single wrong poses of the board do not move: of those near the median."""
    every = np.stack(motions)
    turns = Rotation.from_rotvec(every[:, :3])
    middle = np.median(every[:, 3:], axis=0)
    off = np.linalg.norm(every[:, 3:] - middle, axis=1)
    near = off <= max(float(np.median(off)) * 2.0, 1e-9)
    return np.concatenate([turns[near].mean().as_rotvec(), every[near, 3:].mean(0)])


def _chain(cameras: Sequence[CameraViews], poses: Sequence[dict[float, Array]], shared: Sequence[float]) -> Array:
    """Each camera's place (V, 6) against the first, over the pairs that share most views."""
    count = len(cameras)
    common = [
        [[s for s in shared if s in poses[a] and s in poses[b]] for b in range(count)] for a in range(count)
    ]  # fmt: skip
    places = {0: np.zeros(6)}
    while len(places) < count:
        links = [(len(common[a][b]), a, b) for a in places for b in range(count) if b not in places]
        most, known, new = max(links)
        if most < LEAST_SHARED:
            alone = ", ".join(cameras[index].name for index in range(count) if index not in places)
            raise ValueError(
                f"{alone}: the board is seen together with the other cameras {most} times, at least {LEAST_SHARED} are "
                "needed; carry it through the places that neighbouring cameras both see"
            )
        motions = [_compose(poses[new][s], _inverse(poses[known][s])) for s in common[known][new]]
        places[new] = _compose(_mean_motion(motions), places[known])
    return np.stack([places[index] for index in range(count)])


def _first_boards(poses: Sequence[dict[float, Array]], places: Array, stamps: Sequence[float]) -> Array:
    """The board at each stamp (T, 6) against the first camera, from the cameras that see it."""
    return np.stack(
        [
            _mean_motion(
                [_compose(_inverse(place), p[stamp]) for p, place in zip(poses, places, strict=True) if stamp in p]
            )
            for stamp in stamps
        ]
    )


def _observations(views: Sequence[dict[float, BoardView]], stamps: Sequence[float]) -> _Observations:
    rows = [
        (camera, instant, seen[stamp])
        for camera, seen in enumerate(views)
        for instant, stamp in enumerate(stamps)
        if stamp in seen
    ]
    return _Observations(
        np.concatenate([np.full(len(view.corners), camera) for camera, _, view in rows]),
        np.concatenate([np.full(len(view.corners), instant) for _, instant, view in rows]),
        np.concatenate([view.corners for _, _, view in rows]),
        np.concatenate([view.pixels for _, _, view in rows]),
    )


def _adjust(board: Board, state: _State, seen: _Observations) -> None:
    """Change lenses, places and boards to the smallest reprojection error, in place."""
    shapes = state.lenses.shape, state.cameras[1:].shape, state.boards.shape

    def unpack(values: Array) -> _State:
        lenses, cameras, boards = np.split(values, np.cumsum([np.prod(shape) for shape in shapes])[:2])
        places = np.concatenate([np.zeros((1, 6)), cameras.reshape(shapes[1])])
        return _State(lenses.reshape(shapes[0]), places, boards.reshape(shapes[2]))

    start = np.concatenate([state.lenses.ravel(), state.cameras[1:].ravel(), state.boards.ravel()])
    found = least_squares(
        lambda values: _residuals(board, unpack(values), seen).ravel(),
        start,
        jac_sparsity=_sparsity(seen, shapes),
        x_scale="jac",
        loss="soft_l1",
        f_scale=_ROBUST_PIXELS,
        max_nfev=60,
    )
    end = unpack(found.x)
    state.lenses, state.cameras, state.boards = end.lenses, end.cameras, end.boards


def _residuals(board: Board, state: _State, seen: _Observations) -> Array:
    """Pixels (N, 2) from where each corner was found to where it should be."""
    points = board.points[seen.corner]
    turns = Rotation.from_rotvec(state.boards[:, :3]).as_matrix()[seen.instant]
    points = (turns @ points[..., None])[..., 0] + state.boards[seen.instant, 3:]
    turns = Rotation.from_rotvec(state.cameras[:, :3]).as_matrix()[seen.camera]
    points = (turns @ points[..., None])[..., 0] + state.cameras[seen.camera, 3:]
    lens = state.lenses[seen.camera]
    x, y = (points[:, :2] / points[:, 2:]).T
    k1, k2, p1, p2 = lens[:, 4:].T
    square = x * x + y * y
    radial = 1.0 + k1 * square + k2 * square * square
    image = np.stack(
        [
            lens[:, 0] * (x * radial + 2.0 * p1 * x * y + p2 * (square + 2.0 * x * x)) + lens[:, 2],
            lens[:, 1] * (y * radial + p1 * (square + 2.0 * y * y) + 2.0 * p2 * x * y) + lens[:, 3],
        ],
        axis=-1,
    )
    return image - seen.pixels


def _sparsity(seen: _Observations, shapes: Sequence[tuple[int, ...]]) -> lil_matrix:
    """Which residual depends on which value: its camera's lens and place, its instant's board."""
    lenses, cameras, boards = (int(np.prod(shape)) for shape in shapes)
    matrix = lil_matrix((2 * len(seen.camera), lenses + cameras + boards), dtype=np.int8)
    for row, (camera, instant) in enumerate(zip(seen.camera, seen.instant, strict=True)):
        columns = [*range(camera * _LENS, (camera + 1) * _LENS)]
        if camera:
            columns += range(lenses + (camera - 1) * 6, lenses + camera * 6)
        columns += range(lenses + cameras + instant * 6, lenses + cameras + (instant + 1) * 6)
        matrix[2 * row, columns] = matrix[2 * row + 1, columns] = 1
    return matrix


def _in_world(state: _State, cameras: Sequence[CameraViews], floor: int) -> Rig:
    """The cameras in the frame of the board as it lies on the floor."""
    found = []
    for camera, lens, place in zip(cameras, state.lenses, state.cameras, strict=True):
        from_board = _compose(place, state.boards[floor])
        rotation = Rotation.from_rotvec(from_board[:3]).as_matrix() @ _BOARD_TO_WORLD
        found.append(RigCamera(camera.name, _model(lens, camera.size), rotation, from_board[3:]))
    return Rig(tuple(found))


def _errors(
    board: Board, state: _State, seen: _Observations, cameras: Sequence[CameraViews]
) -> dict[str, CameraErrors]:
    distance = np.linalg.norm(_residuals(board, state, seen), axis=-1)
    found = {}
    for index, camera in enumerate(cameras):
        mine = seen.camera == index
        corners = np.concatenate([view.pixels for view in camera.views.values()])
        found[camera.name] = CameraErrors(
            float(np.sqrt(np.mean(distance[mine] ** 2))),
            float(distance[mine].max()),
            len(camera.views),
            _covered(corners, camera.size),
        )
    return found


def _covered(pixels: Array, size: tuple[int, int], cells: int = 8) -> float:
    """The share of an image's cells in which a corner was seen."""
    inside = np.clip((pixels / size * cells).astype(int), 0, cells - 1)
    return len({(int(x), int(y)) for x, y in inside}) / cells**2


def _warnings(rig: Rig, errors: dict[str, CameraErrors], floor_stamp: float) -> list[str]:
    found = []
    for name, error in errors.items():
        if error.rms > 1.0:
            found.append(f"{name}: corners are off by {error.rms:.1f} px; hold the board still, keep it flat")
        if error.covered < 0.4:
            found.append(
                f"{name}: the board was in {100 * error.covered:.0f} % of the image only; carry it to the edges too"
            )
    low = [camera.name for camera in rig.cameras if camera.position[2] < 0.0]
    if low:
        found.append(
            f"{', '.join(low)} would be under the floor: at {floor_stamp:.1f} s the board did not lie on it, face up; "
            "give the time when it does with --floor-at"
        )
    return found
