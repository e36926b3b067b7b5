"""The dashboard in a real browser: headless Chromium, driven by its DevTools protocol."""

import socket
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from fitmotion_models.mover import make_mover
from fitmotion_models.pose.camera_model import CameraModel
from fitmotion_models.viewer.mannequin import Viewpoint, render_pose
from fitmotion_msgs.msg import Screen
from fitmotion_nodes.image_conversions import compressed_image_to_msg
from fitmotion_nodes.parameters import result_qos

from .chromium import CHROMIUM, Browser, wait_for_server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; on Debian: apt-get install chromium"),
]


@pytest.fixture
def browser(tmp_path: Path):
    browser = Browser(tmp_path / "chromium")
    yield browser
    browser.close()


@pytest.fixture
def address(run_node_process, ros) -> str:
    """The page of a graph in which somebody squats too high, again and again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run_node_process("fms")
    run_node_process("replay", mover="squat_shallow", loop=True, speed=1.5)
    run_node_process("dashboard", port=port)
    return f"http://127.0.0.1:{port}"


def count_like(picture: np.ndarray, hue: tuple[int, int]) -> int:
    """Vivid pixels of a hue (OpenCV: 0 to 180) in the middle of the page, where the room is."""
    height, width = picture.shape[:2]
    room = cv2.cvtColor(picture[height // 4 :, width * 3 // 10 : width * 7 // 10], cv2.COLOR_BGR2HSV)
    return int(((room[..., 0] >= hue[0]) & (room[..., 0] <= hue[1]) & (room[..., 1:] > 90).all(axis=-1)).sum())


def test_the_page_shows_the_body_the_score_and_why_and_its_buttons_work(address, browser, ros) -> None:
    wait_for_server(address)
    graph = ros()
    screens = graph.hear(Screen, "fms/screen", result_qos(latched=True, depth=20))
    browser.open(address)
    browser.until(lambda: browser.text("#fm-score") == "1")
    assert "hips stayed above the knees" in browser.text("#fm-reason")
    failed = "[...document.querySelectorAll('.fm-criterion[data-verdict=not_met]')].map(one=>one.dataset.name)"
    browser.until(lambda: browser.value(failed) == ["femur_below_horizontal"])
    # left is blue, right orange, the thighs red
    browser.until(lambda: min(count_like(browser.picture(), hue) for hue in ((90, 115), (10, 28))) > 300)
    browser.until(lambda: count_like(browser.picture(), (0, 6)) + count_like(browser.picture(), (172, 180)) > 300)
    browser.click("Pain")
    browser.until(lambda: "pain noted" in browser.text("#fm-answer") and browser.text("#fm-score") == "0")
    graph.until(lambda: screens and screens[-1].final[0] == 0)
    browser.click("Screen")
    browser.until(lambda: "Deep squat" in browser.text("#fm-screen") and "0" in browser.text("#fm-screen"))
    browser.click("Score")
    browser.click("No pain")
    browser.until(lambda: "no pain noted" in browser.text("#fm-answer"))
    browser.click("Start test")
    browser.until(lambda: "trial 2" in browser.text("#fm-answer"))
    browser.until(lambda: browser.text("#fm-status").startswith(("0 repetitions", "1 repetition,")))
    browser.until(lambda: "of trial 2" in browser.text("#fm-reason"))
    browser.click("Reset the screen…")
    browser.click("Forget them")
    browser.until(lambda: "new screen is begun" in browser.text("#fm-answer"))
    graph.until(lambda: screens[-1].final[0] == -1)
    browser.click("System")
    browser.until(lambda: all(browser.text(f"[data-node={name}]") for name in ("fms", "replay", "dashboard")))


def test_the_cameras_picture_arrives_as_it_was_sent(address, browser, ros) -> None:
    wait_for_server(address)
    graph = ros()
    camera = graph.node.create_publisher(CompressedImage, "image_raw/compressed", 1)
    model = CameraModel.guess(320, 240)
    image = render_pose(make_mover("squat", fps=5.0).frame(0), model, Viewpoint())
    browser.open(address)
    graph.until(lambda: camera.get_subscription_count() == 1, 30.0)
    size = (
        "(()=>{const one=document.querySelector('img[src^=blob]');return one?[one.naturalWidth,one.naturalHeight]:0})()"
    )

    def shown() -> bool:
        camera.publish(compressed_image_to_msg(image, Header(), 80))
        graph.spin_for(0.1)
        return browser.value(size) == [320, 240]

    browser.until(shown)


def test_a_browser_that_stalls_holds_nothing_up(address, browser, ros) -> None:
    wait_for_server(address)
    graph = ros()
    reports = graph.hear(DiagnosticArray, "/diagnostics")
    browser.open(address)
    browser.until(lambda: browser.text("#fm-score") == "1")
    browser.pause()
    graph.spin_for(3.0)
    frames = int(graph.values("dashboard", reports)["frames_out"])
    graph.spin_for(3.0)
    values = graph.values("dashboard", reports)
    assert int(values["frames_out"]) > frames + 10
    assert float(values["update_p95_ms"]) < 1000.0 / 15.0
    assert float(graph.values("fms", reports)["rate_hz"]) > 20.0
    before = "document.querySelectorAll('.fm-repetition').length"
    browser.resume()
    browser.until(lambda: browser.value(before) >= 3)  # those done meanwhile are there


def test_nobody_is_listened_to_after_the_browser_has_gone(address, tmp_path, ros) -> None:
    wait_for_server(address)
    graph = ros()
    graph.until(lambda: graph.node.count_subscribers("body_pose") == 1)  # the fms node
    others = 1
    browser = Browser(tmp_path / "chromium")
    try:
        browser.open(address)
        graph.until(lambda: graph.node.count_subscribers("body_pose") == others + 1, 30.0)
    finally:
        browser.close()
    graph.until(lambda: graph.node.count_subscribers("body_pose") == others, 30.0)
