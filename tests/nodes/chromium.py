"""A real browser for tests: headless Chromium, driven by its DevTools protocol."""

import base64
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import cv2
import numpy as np
from websockets.sync.client import connect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# nothing of it may reach out, and WebGL is drawn by the processor
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1400,1100",
    "--remote-debugging-port=0",
)


class Browser:
    """A Chromium with one page."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [CHROMIUM, *OPTIONS, f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        port = self._port(folder / "DevToolsActivePort")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
            targets = [target for target in json.load(answer) if target["type"] == "page"]
        self._socket = connect(targets[0]["webSocketDebuggerUrl"], max_size=None)
        self._number = 0
        self.call("Page.enable")

    @staticmethod
    def _port(file: Path) -> str:
        end = time.monotonic() + 30.0
        while not (file.exists() and len(file.read_text().split()) == 2):
            assert time.monotonic() < end, "Chromium did not start"
            time.sleep(0.05)
        return file.read_text().split()[0]

    def call(self, method: str, **parameters):
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv(timeout=60.0))
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, address: str) -> None:
        self.call("Page.navigate", url=address)

    def value(self, script: str):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def text(self, selector: str) -> str:
        return self.value(f"document.querySelector({selector!r})?.innerText") or ""

    def until(self, condition, patience: float = 30.0) -> None:
        end = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < end, f"waited in vain; the page says {self.text('body')!r}"
            time.sleep(0.1)

    def click(self, words: str) -> None:
        """A real click of the mouse on the button or tab with these words."""
        script = (
            "(()=>{const found=[...document.querySelectorAll('button,[role=tab]')]"
            f".filter(one=>one.innerText.trim()==={words!r}).pop();if(!found)return null;"
            "found.scrollIntoView({block:'center'});const box=found.getBoundingClientRect();"
            "return [box.x+box.width/2,box.y+box.height/2]})()"
        )
        self.until(lambda: self.value(script))
        x, y = self.value(script)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self) -> np.ndarray:
        data = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)

    def pause(self) -> None:
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        self.resume()
        self._process.terminate()
        self._process.wait(10.0)


def wait_for_server(address: str) -> None:
    end = time.monotonic() + 20.0
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the page is not served")
