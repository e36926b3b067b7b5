"""The camera node: what it publishes, in which time, and how it ends."""

import signal
import time

import cv2
import numpy as np
import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from fitmotion_models.pose.image_source import Frame, SourceError, SourceLostError
from fitmotion_msgs.msg import Skeleton2D
from fitmotion_nodes import camera as camera_module
from fitmotion_nodes.camera import CameraNode, main
from fitmotion_nodes.conversions import stamp_from_msg
from fitmotion_nodes.image_conversions import camera_info_from_msg, image_from_msg
from fitmotion_nodes.parameters import StreamParameters, frame_qos, image_qos
from fitmotion_nodes.spin import CannotRunError

LOSSLESS = StreamParameters(lossless=True)
LIVE = StreamParameters()


def play_to_the_end(graph) -> None:
    """Spin until the node ends its process, as it does when its source has ended."""
    with pytest.raises(SystemExit) as ended:
        graph.until(lambda: False)
    assert ended.value.code == 0


def test_lossless_every_frame_comes_in_media_time_against_acknowledgements(ros, ramp) -> None:
    graph = ros(source=str(ramp.path), lossless=True)
    acknowledge = graph.node.create_publisher(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    clocks = graph.hear(Clock, "/clock")
    infos = graph.hear(CameraInfo, "camera_info", frame_qos(LOSSLESS))
    images = graph.hear(Image, "image_raw", image_qos(LOSSLESS))
    graph.add(CameraNode())
    graph.until(lambda: len(images) == 2)
    graph.spin_for(0.3)
    assert len(images) == 2  # the third waits for the first to be acknowledged
    for image in images:  # of several people: the last skeleton ends the image
        acknowledge.publish(Skeleton2D(header=image.header, subject="person_2", following=1))
    graph.spin_for(0.3)
    assert len(images) == 2

    answered = 0
    with pytest.raises(SystemExit):
        while True:
            for image in images[answered:]:
                acknowledge.publish(Skeleton2D(header=image.header))
                answered += 1
            graph.spin_for(0.02)
            assert len(images) <= answered + 2

    stamps = [stamp_from_msg(image.header.stamp) for image in images]
    assert stamps == [index / 25 for index in range(ramp.count)]
    assert [stamp_from_msg(info.header.stamp) for info in infos] == stamps
    assert set(stamps) <= {stamp_from_msg(clock.clock) for clock in clocks}
    for index, image in enumerate(images):
        red, green, blue = image_from_msg(image).reshape(-1, 3).mean(0)
        assert abs(green - ramp.shade(index)) < 4 and red > green + 8 and abs(blue - green) < 4
        assert image.header.frame_id == "camera_optical_frame"


def test_in_real_time_a_file_lasts_as_long_as_it_does_and_is_stamped_now(ros, ramp) -> None:
    graph = ros(source=str(ramp.path))
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    arrivals: list[float] = []
    images = graph.hear(Image, "image_raw", image_qos(LIVE), lambda msg: arrivals.append(time.time()))
    before = time.time()
    graph.add(CameraNode())
    play_to_the_end(graph)
    stamps = [stamp_from_msg(image.header.stamp) for image in images]
    assert len(stamps) >= 3 and stamps == sorted(stamps)
    assert before <= stamps[0] and all(stamp <= arrival for stamp, arrival in zip(stamps, arrivals, strict=True))
    # frames come at their times or, on a busy machine, later or not at all; never early
    shown = [round((image_from_msg(image).mean() - 14) / 20) for image in images]
    assert shown == sorted(set(shown)) and shown[-1] < ramp.count
    assert stamps[-1] - stamps[0] >= (shown[-1] - shown[0]) / ramp.fps - 0.01
    assert reports == [] or graph.values("camera", reports)["bad_messages"] == "0"


def test_a_looped_file_does_not_end(ros, ramp) -> None:
    graph = ros(source=str(ramp.path), loop=True, fps=0.0)
    images = graph.hear(Image, "image_raw", image_qos(LIVE))
    graph.add(CameraNode())
    graph.until(lambda: len(images) > 2 * ramp.count)
    stamps = [stamp_from_msg(image.header.stamp) for image in images]
    assert stamps == sorted(set(stamps))


def test_intrinsics_are_a_guess_that_says_so(ros, ramp) -> None:
    graph = ros(source=str(ramp.path), loop=True)
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    infos = graph.hear(CameraInfo, "camera_info", frame_qos(LIVE))
    graph.hear(Image, "image_raw", image_qos(LIVE))
    graph.add(CameraNode())
    graph.until(lambda: infos and graph.values("camera", reports))
    assert camera_info_from_msg(infos[0]).is_guess
    assert (infos[0].width, infos[0].height) == (96, 64)
    assert "guess" in graph.values("camera", reports)["intrinsics"]


def test_a_calibration_is_scaled_to_the_images(ros, ramp, tmp_path) -> None:
    matrix = [100.0, 0.0, 48.0, 0.0, 110.0, 32.0, 0.0, 0.0, 1.0]
    calibration = {
        "image_width": 96,
        "image_height": 64,
        "camera_matrix": {"rows": 3, "cols": 3, "data": matrix},
        "distortion_model": "plumb_bob",
        "distortion_coefficients": {"data": [0.1, 0.0, 0.0, 0.0, 0.0]},
    }
    (tmp_path / "camera.yaml").write_text(yaml.safe_dump(calibration))
    graph = ros(source=str(ramp.path), loop=True, calibration_file=str(tmp_path / "camera.yaml"), width=48, height=1000)
    infos = graph.hear(CameraInfo, "camera_info", frame_qos(LIVE))
    images = graph.hear(Image, "image_raw", image_qos(LIVE))
    graph.add(CameraNode())
    graph.until(lambda: infos and images)
    camera = camera_info_from_msg(infos[0])
    assert (camera.width, camera.height, camera.fx, camera.fy, camera.cx) == (48, 32, 50.0, 55.0, 24.0)
    assert (camera.is_guess, camera.distortion[0]) == (False, 0.1)
    assert (images[0].width, images[0].height) == (48, 32)  # scaled to fit, its shape kept


def test_jpeg_goes_to_those_who_listen(ros, ramp) -> None:
    graph = ros(source=str(ramp.path), loop=True)
    pictures = graph.hear(CompressedImage, "image_raw/compressed", image_qos(LIVE))
    graph.add(CameraNode())
    graph.until(lambda: pictures)
    image = cv2.imdecode(np.frombuffer(pictures[0].data, np.uint8), cv2.IMREAD_COLOR_BGR)
    assert image.shape == (64, 96, 3)
    assert image[..., 2].mean() > image[..., 1].mean() + 5  # red is still red


@pytest.mark.parametrize(("lossless", "least_apart"), [(False, 0.18), (True, 0.0)])
def test_small_pictures_now_and_then_and_in_lossless_runs_of_every_image(ros, ramp, lossless, least_apart) -> None:
    graph = ros(source=str(ramp.path), lossless=lossless, **({} if lossless else {"loop": True}))
    parameters = StreamParameters(lossless=lossless)
    previews = graph.hear(CompressedImage, "preview/compressed", image_qos(parameters))
    images = graph.hear(Image, "image_raw", image_qos(parameters))
    graph.add(CameraNode())
    graph.until(lambda: len(images) >= (2 if lossless else 25) and len(previews) >= 2)
    stamps = [stamp_from_msg(one.header.stamp) for one in previews]
    assert min(np.diff(stamps)) >= least_apart
    if lossless:
        assert stamps[:2] == [stamp_from_msg(one.header.stamp) for one in images[:2]]


def test_a_camera_that_disappears_is_reported_and_comes_back(ros, monkeypatch) -> None:
    class Webcam:
        """Gives frames but for the time in which it is unplugged."""

        live, spec, fps, width, height, frame_count = True, "camera 0", 30.0, 64, 48, None
        plugged, index = True, 0

        def read(self) -> Frame:
            time.sleep(0.005)
            if not self.plugged:
                raise SourceLostError("camera 0: gives no more frames")
            self.index += 1
            return Frame(self.index, 1000.0 + self.index, np.zeros((48, 64, 3), np.uint8))

        def reopen(self) -> None:
            if not self.plugged:
                raise SourceError("camera 0 is not connected")

        def close(self) -> None:
            pass

    webcam = Webcam()
    monkeypatch.setattr(camera_module, "open_source", lambda *args, **options: webcam)
    graph = ros(source="0", reconnect_s=0.1)
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    images = graph.hear(Image, "image_raw", image_qos(LIVE))
    graph.add(CameraNode())
    graph.until(lambda: len(images) > 3)
    assert stamp_from_msg(images[0].header.stamp) > 1000.0  # the time of capture, not of sending
    webcam.plugged = False
    graph.until(lambda: any("no more frames" in status.message for report in reports for status in report.status))
    count = len(images)
    webcam.plugged = True
    graph.until(lambda: len(images) > count + 3)
    graph.until(lambda: graph.values("camera", reports)["reconnects"] == "1")
    assert reports[-1].status[0].level == b"\x00"


def test_the_lifecycle_can_be_managed_from_outside(ros, ramp) -> None:
    graph = ros(source=str(ramp.path), loop=True, autostart=False)
    images = graph.hear(Image, "image_raw", image_qos(LIVE))
    graph.add(CameraNode())

    def change(transition: int) -> int:
        request = ChangeState.Request(transition=Transition(id=transition))
        assert graph.call(ChangeState, "camera/change_state", request).success
        return graph.call(GetState, "camera/get_state", GetState.Request()).current_state.id

    assert change(Transition.TRANSITION_CONFIGURE) == State.PRIMARY_STATE_INACTIVE
    graph.spin_for(0.2)
    assert images == []
    assert change(Transition.TRANSITION_ACTIVATE) == State.PRIMARY_STATE_ACTIVE
    graph.until(lambda: images)
    assert change(Transition.TRANSITION_DEACTIVATE) == State.PRIMARY_STATE_INACTIVE
    graph.spin_for(0.2)
    count = len(images)
    graph.spin_for(0.3)
    assert len(images) == count
    assert change(Transition.TRANSITION_CLEANUP) == State.PRIMARY_STATE_UNCONFIGURED
    assert change(Transition.TRANSITION_CONFIGURE) == State.PRIMARY_STATE_INACTIVE
    assert change(Transition.TRANSITION_ACTIVATE) == State.PRIMARY_STATE_ACTIVE
    graph.until(lambda: len(images) > count)


def test_a_managed_camera_that_cannot_be_opened_stays_unconfigured(ros, tmp_path) -> None:
    graph = ros(source=str(tmp_path / "missing.mp4"), autostart=False)
    graph.add(CameraNode())
    request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
    assert not graph.call(ChangeState, "camera/change_state", request).success
    state = graph.call(GetState, "camera/get_state", GetState.Request()).current_state
    assert state.id == State.PRIMARY_STATE_UNCONFIGURED


def test_a_source_that_breaks_on_the_way_ends_the_node_with_its_sentence(ros, tmp_path) -> None:
    for index in range(3):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.zeros((64, 64, 3), np.uint8))
    (tmp_path / "2.png").write_text("no image")
    graph = ros(source=str(tmp_path), lossless=True)  # in real time a late machine may skip the broken image
    answers = graph.node.create_publisher(Skeleton2D, "skeleton_2d", frame_qos(LOSSLESS))
    graph.hear(Image, "image_raw", image_qos(LOSSLESS), lambda msg: answers.publish(Skeleton2D(header=msg.header)))
    graph.add(CameraNode())
    with pytest.raises(CannotRunError, match=r"2\.png: cannot be read as an image"):
        graph.until(lambda: False)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"source": "/missing/squat.mp4"}, "camera: /missing/squat.mp4: no such file or folder"),
        ({"source": "3", "lossless": True}, "lossless=true with source=3"),
        ({"souce": "x.mp4"}, "unknown parameter souce"),
    ],
)
def test_what_cannot_run_ends_with_one_line_and_status_2(run_main, parameters, sentence) -> None:
    status, errors = run_main(main, **parameters)
    assert status == 2
    assert sentence in errors and len(errors.strip().splitlines()) == 1, errors


def test_ctrl_c_ends_the_process_cleanly(run_node_process, ros, ramp) -> None:
    graph = ros()
    images = graph.hear(Image, "image_raw", image_qos(LIVE))
    process = run_node_process("camera", source=str(ramp.path), loop=True)
    graph.until(lambda: len(images) > 5, patience=60)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in errors
