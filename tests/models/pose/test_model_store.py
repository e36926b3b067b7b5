"""Networks by name: fetched from a server of our own, resumed, checked, added by hand, and found."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.models.pose import networks

from fitmotion_models.pose import catalogue as names
from fitmotion_models.pose import model_store as store
from fitmotion_models.pose.backends import make_backend


class Server(ThreadingHTTPServer):
    """Serves one file; `stop_after` bytes an answer, ranges when `ranges`."""

    data = b""
    ranges = True
    stop_after: int | None = None
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        given = self.headers.get("Range", "")
        self.server.asked.append(given)
        start = int(given.removeprefix("bytes=").rstrip("-")) if given and self.server.ranges else 0
        if self.path.endswith("missing.zip"):
            self.send_error(404)
            return
        if start >= len(self.server.data):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.server.data) - start))
        self.end_headers()
        end = len(self.server.data) if self.server.stop_after is None else start + self.server.stop_after
        self.wfile.write(self.server.data[start:end])

    def log_message(self, *args: object) -> None:
        return


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FITMOTION_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "models"


@pytest.fixture
def network(tmp_path: Path) -> bytes:
    return networks.pose_network(tmp_path / "made.onnx", 26).read_bytes()


def archive(network: bytes, inside: str = "20230831/rtmpose_onnx/some/") -> bytes:
    """As OpenMMLab packs them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr(f"{inside}end2end.onnx", network)
        made.writestr(f"{inside}deploy.json", json.dumps({"task": "PoseDetector", "models": [{"net": "end2end.onnx"}]}))
        made.writestr("../outside.txt", "no")
    return packed.getvalue()


def entry(server: Server, network: bytes, name: str = "rtmpose-m", file: str = "some.zip") -> names.CatalogueEntry:
    return replace(
        names.entry_of(name),
        url=f"http://127.0.0.1:{server.server_address[1]}/{file}",
        sha256=hashlib.sha256(network).hexdigest(),
        bytes=len(network),
        archive_sha256=hashlib.sha256(server.data).hexdigest(),
        archive_bytes=len(server.data),
    )


def test_a_network_is_fetched_checked_and_found(server: Server, network: bytes, folder: Path) -> None:
    server.data, seen = archive(network), []
    got = store.download(entry(server, network), lambda done, total: seen.append((done, total)))
    assert got == folder / "rtmpose-m" and names.installed_names() == ["rtmpose-m"]
    assert (got / "end2end.onnx").read_bytes() == network and (got / "deploy.json").is_file()
    assert seen[-1] == (len(server.data), len(server.data))
    assert names.record_of(got)["sha256"] == hashlib.sha256(network).hexdigest()
    assert (
        not list(folder.glob("*.part")) and not list(folder.glob(".*")) and not list(folder.parent.rglob("outside.txt"))
    )
    assert store.download(entry(server, network)) == got and len(server.asked) == 1  # it is there
    assert names.find_model("rtmpose-m", "pose", "--pose-model") == got


def test_a_download_that_broke_off_goes_on(server: Server, network: bytes, folder: Path) -> None:
    server.data, server.stop_after = archive(network), 1000
    with pytest.raises(store.DownloadError, match="1000 bytes are kept, the next try goes on from there"):
        store.download(entry(server, network))
    server.stop_after = None
    store.download(entry(server, network))
    assert server.asked == ["", "bytes=1000-"]
    assert (folder / "rtmpose-m" / "end2end.onnx").read_bytes() == network


def test_a_server_that_cannot_resume_starts_again(server: Server, network: bytes, folder: Path) -> None:
    server.data, server.ranges = archive(network), False
    folder.mkdir()
    (folder / "rtmpose-m.zip.part").write_bytes(b"x" * 1000)
    store.download(entry(server, network))
    assert (folder / "rtmpose-m" / "end2end.onnx").read_bytes() == network


def test_what_is_not_what_it_should_be_is_refused_and_removed(server: Server, network: bytes, folder: Path) -> None:
    server.data = archive(network)
    with pytest.raises(ValueError, match="the archive has SHA-256 .*, not 0000; it came broken"):
        store.download(replace(entry(server, network), archive_sha256="0000"))
    with pytest.raises(ValueError, match="the network from .* has SHA-256 .*; the catalogue says 0000"):
        store.download(replace(entry(server, network), sha256="0000"))
    server.data = b"<html>a page</html>"
    with pytest.raises(ValueError, match=r"is no archive with end2end\.onnx inside"):
        store.download(replace(entry(server, network), archive_sha256=""))
    assert names.installed_names() == [] and not any(folder.iterdir())


def test_a_hash_that_nobody_states_is_recorded_and_held_against_the_next(server: Server, network: bytes) -> None:
    server.data = archive(network)
    unknown = replace(entry(server, network), sha256="", archive_sha256="")
    store.download(unknown)
    server.data = archive(network + b"\0")
    with pytest.raises(ValueError, match="the one that is there has"):
        store.download(unknown, again=True)
    assert (store.models_folder() / "rtmpose-m" / "end2end.onnx").read_bytes() == network


def test_without_a_network_it_is_said_what_to_do(server: Server, network: bytes) -> None:
    with pytest.raises(store.DownloadError, match="the server answers 404"):
        store.download(entry(server, network, file="missing.zip"))
    nobody = replace(entry(server, network), url="http://127.0.0.1:9/some.zip")
    with pytest.raises(store.DownloadError) as caught:
        store.download(nobody)
    assert "Connection refused" in str(caught.value)
    assert "Fetch http://127.0.0.1:9/some.zip on a machine with a network" in str(caught.value)
    assert "`./fitmotion models add FILE --name rtmpose-m` here" in str(caught.value)


def test_what_somebody_has_can_be_added(network: bytes, tmp_path: Path, folder: Path) -> None:
    packed = tmp_path / (Path(names.entry_of("rtmpose-t").url).name)  # the zoo's own name, no hash known
    packed.write_bytes(archive(network))
    assert store.add(packed).name == "rtmpose-t" and packed.is_file()
    made = tmp_path / "my_export"
    (made).mkdir()
    (made / "end2end.onnx").write_bytes(network)
    networks.pose_pipeline(made, (192, 256), padding=1.4)
    assert store.add(made).name == "my_export"
    assert store.add(tmp_path / "made.onnx", "rtmpose-mine").name == "rtmpose-mine"
    networks.detector_with_suppression(tmp_path / "rtmdet.onnx", (320, 320), networks.RTMDET)
    assert store.is_detector(store.add(tmp_path / "rtmdet.onnx", "rtmdet-mine"))
    assert not store.is_detector(folder / "my_export")
    assert store.engine_of(folder / "rtmdet-mine").startswith("ONNX Runtime")
    backend = make_backend("rtmpose", pose_model="my_export", detector="rtmdet-mine", engine="cpu")
    assert backend.name.startswith("my_export with rtmdet-mine") and backend.joint_set == "halpe26"
    with pytest.raises(ValueError, match="has SHA-256 .*; the catalogue says 26f3a19e"):
        store.add(tmp_path / "made.onnx", "rtmpose-m")
    with pytest.raises(ValueError, match="cannot name a model"):
        store.add(tmp_path / "made.onnx", "../elsewhere")
    with pytest.raises(ValueError, match="no such file or folder"):
        store.add(tmp_path / "nothing")
    store.remove("my_export")
    assert "my_export" not in names.installed_names()


def test_names_that_cannot_be_had_are_said(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"rtmpose-m is not on this machine; `\./fitmotion models download rtmpose-m`"
    ):
        make_backend("rtmpose-m")
    with pytest.raises(ValueError, match="pose backend 'openpose' unknown; known: .*mediapipe.*rtmpose-m"):
        make_backend("openpose")
    with pytest.raises(ValueError, match="pose backend 'rtmdet-m' unknown"):
        make_backend("rtmdet-m")
    with pytest.raises(ValueError, match="'rtmpose' needs a network: --pose-model"):
        make_backend("rtmpose")
    with pytest.raises(ValueError, match="'mediapipe' brings its own networks"):
        make_backend("mediapipe", detector="yolox-s")
    with pytest.raises(ValueError, match="'rtmdet-m' is a detector network; --pose-model takes a pose network"):
        make_backend("rtmpose", pose_model="rtmdet-m")
    with pytest.raises(
        ValueError, match="--pose-model best: neither a file nor a known pose network; known: rtmpose-t"
    ):
        make_backend("rtmpose", pose_model="best")
    with pytest.raises(RuntimeError, match=r"'mmpose' needs the package 'mmpose'; install MMPose 1\.x"):
        make_backend("mmpose")


def test_the_catalogue_is_whole() -> None:
    found = names.catalogue()
    assert names.default_detector() in found and found[names.default_detector()].kind == "detector"
    for one in found.values():
        assert one.kind in ("pose", "detector") and one.url.startswith("https://") and one.url.endswith(".zip"), (
            one.name
        )
        assert (one.landmarks in (17, 26, 133)) == (one.kind == "pose"), one.name
        assert all(
            digest == "" or (len(digest) == 64 and int(digest, 16)) for digest in (one.sha256, one.archive_sha256)
        )
        size = f"{one.input[1]}x{one.input[0]}"
        assert one.kind == "detector" or size in one.url, one.name  # the zoo's names say the input's size
        assert ("halpe26" in one.url) == (one.landmarks == 26), one.name
    assert len({one.url for one in found.values()}) == len(found)
