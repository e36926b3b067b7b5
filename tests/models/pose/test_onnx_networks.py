"""Detector, crop, SimCC and back to pixels, against pictures whose truth is painted."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.models.pose import networks

from fitmotion_models.pose.model_folder import read_detector_form, read_pose_form
from fitmotion_models.pose.person_detector import PersonDetector, suppress
from fitmotion_models.pose.pose_network import PoseNetwork
from fitmotion_models.pose.rtmpose_backend import RtmposeBackend
from fitmotion_models.pose.top_down import crop_of, cut, decode_simcc
from fitmotion_models.pose.whole_body import WHOLE_BODY_JOINTS
from fitmotion_models.runtime.session import ModelError
from fitmotion_models.skeleton.joint_sets import JOINT_SETS

SIZE = (640, 480)
Person = tuple[tuple[int, int, int, int], np.ndarray]


def person(box: tuple[int, int, int, int], count: int, seed: int = 0) -> Person:
    """Markers between pixels, in a box, none over another."""
    columns, rows = (4, -(-count // 4)) if count < 40 else (10, -(-count // 10))
    x, y = np.linspace(box[0] + 15, box[2] - 15, columns), np.linspace(box[1] + 12, box[3] - 12, rows)
    grid = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)[:count]
    return box, grid + np.random.default_rng(seed).uniform(-2.0, 2.0, grid.shape)


TWO = [person((90, 100, 240, 310), 26, 1), person((380, 150, 520, 340), 26, 2)]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("networks")
    networks.pose_network(made / "rtmpose.onnx", 26)
    networks.detector_with_suppression(made / "rtmdet.onnx", (320, 320), networks.RTMDET)
    return made


def errors(found: list, people: list[Person]) -> np.ndarray:
    return np.concatenate(
        [np.linalg.norm(one.pixels - markers, axis=-1) for one, (_, markers) in zip(found, people, strict=True)]
    )


@pytest.mark.parametrize("scale", [1.0, 1.35])
def test_the_whole_chain_finds_what_was_painted_to_a_pixel(folder: Path, scale: float) -> None:
    size = (round(SIZE[0] * scale), round(SIZE[1] * scale))
    people = [(tuple(round(scale * side) for side in box), scale * markers) for box, markers in TWO]
    image = networks.painted(size, people, radius=4.5 * scale)
    backend = RtmposeBackend(folder / "rtmpose.onnx", folder / "rtmdet.onnx", engine="cpu")
    found = backend.find_all(image, 0.0)
    assert len(found) == 2  # the taller first
    assert errors(found, people).max() < scale  # a pixel of the network's input
    assert abs(np.mean([one.pixels - markers for one, (_, markers) in zip(found, people, strict=True)])) < 0.1
    assert all(one.joint_set == "halpe26" and one.confidence.min() > 0.5 and one.world is None for one in found)
    assert errors([backend(image, 0.1)], people[:1]).max() < 1.5 * scale  # the box of the landmarks is wider
    assert "rtmpose with rtmdet, ONNX Runtime" in backend.name


@pytest.mark.parametrize("joints", [17, WHOLE_BODY_JOINTS])
def test_other_sets_of_landmarks(tmp_path: Path, joints: int) -> None:
    path = networks.pose_network(tmp_path / "pose.onnx", joints, (96, 128) if joints > 100 else (192, 256), batch=1)
    box, markers = person((20, 20, 260, 420), joints)
    image = networks.painted(SIZE, [(box, markers)], radius=6.0)
    network = PoseNetwork(path, providers="cpu")
    found = network(image, [np.array(box, float)])[0]
    if joints == 17:
        assert found.joint_set == "coco17"
        assert (
            np.linalg.norm(found.pixels - markers, axis=-1).max() < 1.5
        )  # 1.7 pixels of the image to one of the input
        return
    assert found.joint_set == "halpe26"
    names = JOINT_SETS["halpe26"].joints
    # COCO-WholeBody: 17 left big toe, 18 left small toe, 19 left heel, 20 to 22 the right ones
    for name, number in (
        ("left_wrist", 9),
        ("right_ankle", 16),
        ("left_big_toe", 17),
        ("left_heel", 19),
        ("right_heel", 22),
    ):
        assert np.linalg.norm(found.pixels[names.index(name)] - markers[number]) < 4.0, name
    assert found.pixels[names.index("hip")] == pytest.approx(markers[[11, 12]].mean(0), abs=3.0)
    assert found.confidence[names.index("head")] == 0 and np.isnan(found.pixels[names.index("head")]).all()


@pytest.mark.parametrize("kind", ["dets and labels", "dets alone", "boxes, scores, labels", "raw YOLOX"])
def test_every_form_of_a_detectors_results(tmp_path: Path, kind: str) -> None:
    if kind == "raw YOLOX":
        path = networks.raw_yolox(tmp_path / "yolox_tiny.onnx", (416, 416))
    elif kind == "boxes, scores, labels":
        path = networks.boxes_and_scores(tmp_path / "rtmdet_s.onnx", (320, 320))
    else:
        labels = kind == "dets and labels"
        path = networks.detector_with_suppression(tmp_path / "rtmdet.onnx", (320, 320), networks.RTMDET, labels=labels)
    detector = PersonDetector(path, providers="cpu")
    found = detector(networks.painted(SIZE, TWO))
    assert len(found.boxes) == 2  # and no horse
    boxes = found.boxes[np.argsort(found.boxes[:, 0])]
    assert boxes == pytest.approx(np.array([box for box, _ in TWO], float), abs=2.1)  # a pixel of the input
    assert len(detector(networks.painted(SIZE, [])).boxes) == 0


def test_an_image_may_be_squeezed_into_the_detectors_shape(tmp_path: Path) -> None:
    networks.detector_with_suppression(tmp_path / "end2end.onnx", (320, 320), networks.RTMDET)
    networks.deploy_json(tmp_path, "Detector")
    networks.detector_pipeline(tmp_path, (320, 320), keep_ratio=False)
    boxes = PersonDetector(tmp_path, providers="cpu")(networks.painted(SIZE, TWO)).boxes
    assert boxes[np.argsort(boxes[:, 0])] == pytest.approx(np.array([box for box, _ in TWO], float), abs=2.1)


def test_of_boxes_that_overlap_the_surest_stays() -> None:
    # 10 x 10 shifted by 2 and by 6: intersections over union of 80/120 and 40/160, by hand
    boxes = np.array([[0, 0, 10, 10], [2, 0, 12, 10], [6, 0, 16, 10]], float)
    assert suppress(boxes, 0.5) == [0, 2]
    assert suppress(boxes, 0.7) == [0, 1, 2]
    assert suppress(boxes, 0.2) == [0]


def test_a_folder_of_mmdeploy_is_taken_as_it_is(tmp_path: Path) -> None:
    pose, detector = tmp_path / "pose", tmp_path / "detector"
    networks.pose_network(pose / "end2end.onnx", 26, names=("output", "700"))
    networks.deploy_json(pose, "PoseDetector")
    networks.pose_pipeline(pose, (192, 256), padding=1.4)
    networks.detector_with_suppression(detector / "net.onnx", (320, 320), networks.RTMDET)
    networks.deploy_json(detector, "Detector", net="net.onnx")
    networks.detector_pipeline(detector, (320, 320))
    assert read_pose_form(pose).padding == 1.4
    assert read_detector_form(detector).normalisation.mean == networks.RTMDET[0]
    backend = RtmposeBackend(pose, detector, engine="cpu")
    assert errors(backend.find_all(networks.painted(SIZE, TWO, radius=4.5), 0.0), TWO).max() < 1.2  # a wider crop
    with pytest.raises(ModelError, match="is a Detector; a PoseDetector is wanted here"):
        PoseNetwork(detector)
    # the network beside its pipeline.json, by its own path
    assert read_pose_form(pose / "end2end.onnx").padding == 1.4


def test_a_network_that_decodes_itself_is_not_decoded_again(tmp_path: Path) -> None:
    helper = networks.helper
    places = np.arange(52, dtype=np.float32).reshape(1, 26, 2)
    nodes = [
        helper.make_node("Identity", [name], [out]) for name, out in (("places", "simcc_x"), ("scores", "simcc_y"))
    ]
    outputs = {"simcc_x": (networks.FLOAT, [1, 26, 2]), "simcc_y": (networks.FLOAT, [1, 26])}
    constants = {"places": places, "scores": np.full((1, 26), 0.5, np.float32)}
    networks.save(tmp_path / "end2end.onnx", nodes, {"input": [1, 3, 256, 192]}, outputs, constants)
    networks.pose_pipeline(tmp_path, (192, 256), export_postprocess=True, padding=1.0)
    box = np.array([0.0, 0.0, 192.0, 256.0])
    found = PoseNetwork(tmp_path, providers="cpu")(np.zeros((256, 192, 3), np.uint8), [box])[0]
    np.testing.assert_allclose(found.pixels, places[0], atol=1e-4)
    assert found.confidence == pytest.approx(0.5)


def test_networks_that_do_not_fit_are_said(tmp_path: Path, folder: Path) -> None:
    networks.pose_network(tmp_path / "end2end.onnx", 26)
    networks.pose_pipeline(tmp_path, (192, 256), simcc_split_ratio=3.0)
    with pytest.raises(ModelError, match=r"SimCC with a split ratio of 3 has 576 and 768 bins"):
        PoseNetwork(tmp_path)
    networks.pose_pipeline(tmp_path, (192, 256), use_dark=True)
    with pytest.raises(ModelError, match="DARK"):
        PoseNetwork(tmp_path)
    (tmp_path / "pipeline.json").unlink()
    with pytest.raises(ModelError, match="gives 5 landmarks; known sets have 17, 26, 133"):
        PoseNetwork(networks.pose_network(tmp_path / "five.onnx", 5))
    with pytest.raises(ModelError, match="a SimCC head has two outputs"):
        PoseNetwork(networks.boxes_and_scores(tmp_path / "four.onnx", (320, 320)))
    unnamed = tmp_path / "unnamed" / "model.onnx"
    networks.detector_with_suppression(unnamed, (320, 320), networks.RTMDET)
    with pytest.raises(ModelError, match=r"put its pipeline\.json beside it, or have rtmdet or yolox in its name"):
        PersonDetector(unnamed)
    with pytest.raises(ModelError, match=r"yolox\.onnx: no known form of a detector's results; got simcc_x"):
        networks.pose_network(tmp_path / "x" / "yolox.onnx", 26)
        PersonDetector(tmp_path / "x" / "yolox.onnx")(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such file or folder"):
        PoseNetwork(tmp_path / "nowhere")
    (tmp_path / "unnamed" / "deploy.json").write_text(json.dumps({"models": [{"net": "end2end.engine"}]}))
    with pytest.raises(ModelError, match="was exported for another engine"):
        PersonDetector(tmp_path / "unnamed")
    (tmp_path / "unnamed" / "deploy.json").write_text("{")
    with pytest.raises(ModelError, match=r"deploy\.json cannot be read"):
        PersonDetector(tmp_path / "unnamed")
    with pytest.raises(ValueError, match="uint8 RGB"):
        RtmposeBackend(folder / "rtmpose.onnx", folder / "rtmdet.onnx").find_all(np.zeros((4, 4), np.uint8), 0.0)


def test_people_are_followed_between_detections(folder: Path) -> None:
    backend = RtmposeBackend(folder / "rtmpose.onnx", folder / "rtmdet.onnx", engine="cpu", detect_every=5)
    calls = []
    detect = backend._detector
    backend._detector = lambda image: calls.append(len(calls)) or detect(image)
    (box, markers), frames = TWO[0], []
    for step in range(9):  # walks 8 pixels an image to the right
        moved = (
            tuple(side + 8 * step * (index % 2 == 0) for index, side in enumerate(box)),
            markers + (8.0 * step, 0.0),
        )
        image = networks.painted(SIZE, [moved], radius=4.5)
        found = backend.find_all(image, step / 30)
        assert errors(found, [moved]).max() < 1.0
        frames.append(len(calls))
    assert frames == [1, 1, 1, 1, 1, 2, 2, 2, 2]
    empty = networks.painted(SIZE, [])
    assert backend.find_all(empty, 1.0) == [] and len(calls) == 2
    assert backend.find_all(empty, 1.1) == [] and len(calls) == 3  # lost: the detector looks at every image
    assert len(backend.find_all(networks.painted(SIZE, TWO, radius=4.5), 1.2)) == 2


def test_a_crop_is_padded_in_shape_and_black_outside() -> None:
    crop = crop_of(np.array([10.0, 20.0, 110.0, 70.0]), (192, 256), 1.25)
    # 125 x 62.5 after padding: too low for 3:4, so 125 / 0.75 high, about the same centre
    assert crop.size == pytest.approx([125.0, 125.0 / 0.75]) and crop.centre == pytest.approx([60.0, 45.0])
    picture = cut(np.full((80, 120, 3), 200, np.uint8), crop, (192, 256))
    assert picture.shape == (256, 192, 3)
    assert not picture[:50].any() and (picture[128, 96] == 200).all()
    # the middle of the input is the crop's centre, its corner the crop's corner
    corners = crop.to_image(np.array([[96.0, 128.0], [0.0, 0.0]]), (192, 256))
    np.testing.assert_allclose(corners, [[60.0, 45.0], crop.centre - crop.size / 2])


def test_simcc_by_hand() -> None:
    x, y = np.zeros((1, 2, 8), np.float32), np.zeros((1, 2, 6), np.float32)
    x[0, 0, 5], y[0, 0, 2] = 0.9, 0.4
    places, scores = decode_simcc(x, y, 2.0)
    np.testing.assert_allclose(places[0], [[2.5, 1.0], [-0.5, -0.5]])
    np.testing.assert_allclose(scores[0], [0.4, 0.0])


def test_a_real_picture_keeps_its_colours_through_the_crop() -> None:
    rng = np.random.default_rng(3)
    image = cv2.GaussianBlur(rng.integers(0, 255, (90, 120, 3)).astype(np.uint8), (0, 0), 3)
    crop = crop_of(np.array([20.0, 10.0, 80.0, 90.0]), (60, 80), 1.0)
    np.testing.assert_array_equal(cut(image, crop, (60, 80)), image[10:90, 20:80])
