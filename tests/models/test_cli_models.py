"""`./fitmotion models`: what there is, what is here, and what cannot be had."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.models.pose import networks
from typer.testing import CliRunner

from fitmotion_models.cli import app

RUN = CliRunner()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FITMOTION_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_networks_are_listed_added_and_used_by_name(tmp_path: Path, folder: Path) -> None:
    networks.pose_network(tmp_path / "pose.onnx", 26)
    networks.detector_with_suppression(tmp_path / "rtmdet.onnx", (320, 320), networks.RTMDET)
    added = RUN.invoke(app, ["models", "add", str(tmp_path / "pose.onnx"), "--name", "rtmpose-mine"])
    assert added.exit_code == 0 and added.stdout.startswith(f"rtmpose-mine: {folder / 'rtmpose-mine'}, ONNX Runtime")
    assert RUN.invoke(app, ["models", "add", str(tmp_path / "rtmdet.onnx"), "--name", "rtmdet-mine"]).exit_code == 0
    listed = json.loads(RUN.invoke(app, ["models", "list", "--json"]).stdout)
    rows = {row["name"]: row for row in listed["models"]}
    assert listed["folder"] == str(folder)
    assert rows["rtmpose-mine"]["kind"] == "pose" and rows["rtmdet-mine"]["kind"] == "detector"
    assert rows["rtmpose-mine"]["installed"] and not rows["rtmpose-m"]["installed"]
    assert rows["rtmpose-m"]["licence"].startswith("Apache-2.0") and "research" in rows["rtmpose-m"]["data"]
    table = RUN.invoke(app, ["models", "list"]).stdout
    assert "rtmpose-m " in table and "26 landmarks" in table and "rtmpose-mine" in table


def test_what_cannot_be_used_is_not_added(tmp_path: Path, folder: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"<html>404</html>")
    refused = RUN.invoke(app, ["models", "add", str(broken)])
    assert refused.exit_code == 2 and "was not added" in refused.stderr and not (folder / "broken").exists()
    unknown = RUN.invoke(app, ["models", "download", "rtmpose-xxl"])
    assert unknown.exit_code == 2 and "unknown; known: rtmpose-t" in unknown.stderr


def test_a_backend_without_its_network_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images" / "0.png"), np.zeros((64, 64, 3), np.uint8))
    for name, said in (("rtmpose-m", "is not on this machine"), ("openpose", "unknown; known: mediapipe")):
        result = RUN.invoke(app, ["assess", str(tmp_path / "images"), "--backend", name])
        assert result.exit_code == 2 and result.stderr.count("\n") == 1 and said in result.stderr
