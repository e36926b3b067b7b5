"""Sentence embeddings against `transformers`, and the score in the words."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from fitmotion_models.motion import text
from fitmotion_models.motion.condition import Conditioning
from fitmotion_models.motion.text import (
    CachedEncoder,
    check_encoder,
    load_text_encoder,
    scored_prompt,
    text_inputs,
)
from fitmotion_models.runtime.tensor_file import map_tensors

PROMPTS = (
    "a person performs a deep squat with heels on the floor",
    "walks with a limp on the right leg",
    "Eine Person hebt die linke Hand; über 90°!",
    "人がしゃがむ",
    "x",
    "squat " * 300,  # longer than is read
)


@pytest.fixture(scope="module")
def minilm() -> text.TextEncoder:
    return load_text_encoder()


@pytest.mark.slow
def test_minilm_gives_what_transformers_gives(minilm: text.TextEncoder) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed; `./fitmotion test` installs it")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed; see requirements.lock")
    from fitmotion_models.motion.minilm import minilm_folder

    tokens = transformers.AutoTokenizer.from_pretrained(minilm_folder())(
        list(PROMPTS), padding=True, truncation=True, max_length=256, return_tensors="pt"
    )
    with torch.inference_mode():
        states = transformers.AutoModel.from_pretrained(minilm_folder()).eval()(**tokens).last_hidden_state
    mask = tokens["attention_mask"][..., None]
    mean = (states * mask).sum(dim=1) / mask.sum(dim=1)
    wanted = torch.nn.functional.normalize(mean).numpy()
    found = minilm.encode(PROMPTS)
    assert found.shape == (len(PROMPTS), minilm.size) == (6, 384)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_sentences_that_mean_the_same_are_near(minilm: text.TextEncoder) -> None:
    squat, same, other = minilm.encode(
        ["a person performs a deep squat", "someone squats down low", "a man is waving his left hand"]
    )
    assert squat @ same > 0.6 > 0.4 > squat @ other
    np.testing.assert_allclose(np.linalg.norm([squat, same, other], axis=1), 1, atol=1e-6)
    # in any company the same to rounding
    np.testing.assert_allclose(minilm.encode(PROMPTS[:3])[1], load_text_encoder().encode(PROMPTS[1:2])[0], atol=1e-6)
    assert minilm.encode([]).shape == (0, 384)


def test_a_prompt_is_read_once_and_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "CACHED_PROMPTS", 2)
    read: list[str] = []

    def lengths(texts: list[str]) -> np.ndarray:
        read.extend(texts)
        return np.array([[len(one)] for one in texts], np.float32)

    encoder = CachedEncoder("lengths", 1, lengths)
    assert encoder.encode(["a", "bb", "a"]).tolist() == [[1], [2], [1]]
    encoder.encode(["a"])
    assert read == ["a", "bb"]
    encoder.encode(["ccc"])  # bb was used longest ago
    encoder.encode(["a"])
    assert read == ["a", "bb", "ccc"]
    encoder.encode(["bb"])
    assert read == ["a", "bb", "ccc", "bb"]
    assert encoder.encode(["a", "bb", "ccc", "dddd"]).ravel().tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("prompt", "score", "wanted"),
    [
        ("a person performs a deep squat", 1, "an injured person performs a deep squat"),
        ("A person performs a deep squat", 2, "a moderately fit person performs a deep squat"),
        ("a person performs a deep squat", 3, "a very athletic person performs a deep squat"),
        ("a person performs a deep squat", 0, "an injured person performs a deep squat"),
        ("an old man walks", 2, "a moderately fit old man walks"),
        ("the woman lunges", 1, "the injured woman lunges"),
        ("someone jumps", 3, "a very athletic person jumps"),
        ("Person walks", 1, "an injured person walks"),
        ("walks with a limp on the right leg", 1, "an injured person walks with a limp on the right leg"),
        ("standing, a person turns both arms", 1, "standing, an injured person turns both arms"),
        ("standing on one leg", 2, "a moderately fit person standing on one leg"),
        ("deep squat", 3, "a very athletic person: deep squat"),
        ("his left arm goes up", 1, "an injured person: his left arm goes up"),
        ("a personal best", 1, "an injured person: a personal best"),
        ("a person squats", None, "a person squats"),
    ],
)
def test_the_score_in_words(prompt: str, score: int | None, wanted: str) -> None:
    assert scored_prompt(prompt, score, Conditioning.TEXTUAL) == wanted


def test_the_score_as_a_number_and_as_a_token() -> None:
    assert scored_prompt("a person squats.", 2, Conditioning.NUMERICAL) == "a person squats, FMS score 2"
    assert scored_prompt("a person squats.", None, Conditioning.NUMERICAL) == "a person squats."
    assert scored_prompt("a person squats.", 2, Conditioning.TOKEN) == "a person squats."
    with pytest.raises(ValueError, match="decided by a network's card"):
        scored_prompt("a person squats", 2, Conditioning.DEFAULT)
    with pytest.raises(ValueError, match="score 7 is none; give 0 to 3"):
        scored_prompt("a person squats", 7, Conditioning.TEXTUAL)


def test_one_way_carries_the_score() -> None:
    encoder = CachedEncoder("lengths", 1, lambda texts: np.array([[len(one)] for one in texts], np.float32))
    token = text_inputs(encoder, "a squat", 2, Conditioning.TOKEN)
    assert token.score.tolist() == [0, 0, 0, 1, 0] and token.text == token.plain_text == [7]
    words = text_inputs(encoder, "a squat", 2, Conditioning.NUMERICAL)
    assert words.score.tolist() == [1, 0, 0, 0, 0] and words.text == [20] and words.plain_text == [7]
    pain = text_inputs(encoder, "a squat", 0, Conditioning.TOKEN)
    assert pain.score.tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gpt", "text encoder 'gpt' unknown; known: minilm, clip:NAME, sentence-t5:NAME, sentence:NAME"),
        ("clip", "write 'clip:NAME'"),
        ("minilm:large", "write 'minilm'"),
    ],
)
def test_unknown_encoders_are_said(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        load_text_encoder(name)


def test_an_encoder_that_a_network_was_not_trained_with_is_refused() -> None:
    clip = CachedEncoder("clip:clip-vit-base-patch32", 512, lambda _: np.zeros((1, 512), np.float32))
    check_encoder(clip, "clip:openai/clip-vit-base-patch32", 512, "motion_stream.onnx")
    with pytest.raises(ValueError, match=r"was trained with the text encoder 'minilm' \(384 numbers"):
        check_encoder(clip, "minilm", 384, "motion_stream.onnx")


def tensor_file(path: Path, header: dict[str, object], data: bytes, pad: int = 0) -> Path:
    head = json.dumps(header).encode() + b" " * pad
    path.write_bytes(struct.pack("<Q", len(head)) + head + data)
    return path


def test_tensors_are_read_as_their_own_library_writes_them(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed; see requirements.lock")
    wanted = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "half": np.array([0.5, -2], np.float16),
        "none": np.zeros((0, 4), np.float64),
        "scalar": np.array(7, np.int64),
        "odd": np.arange(3, dtype=np.uint8),
    }
    safetensors.save_file(wanted, tmp_path / "some.safetensors", {"made": "here"})
    found = map_tensors(tmp_path / "some.safetensors")
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_tensors_at_any_place_and_files_that_are_none(tmp_path: Path) -> None:
    one = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    data = np.array([1, 2], np.float32).tobytes()
    for pad in range(4):
        found = map_tensors(tensor_file(tmp_path / f"{pad}.safetensors", one, data, pad))["a"]
        assert found.tolist() == [1, 2] and found.flags.aligned
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors: no such file"):
        map_tensors(tmp_path / "none.safetensors")
    cut = tensor_file(tmp_path / "cut.safetensors", one, data[:5])
    unknown = tensor_file(tmp_path / "type.safetensors", {"a": {**one["a"], "dtype": "BF16"}}, data)
    page = tmp_path / "page.safetensors"
    page.write_bytes(b"<html>404 Not Found</html>")
    for path, said in ((cut, "it is cut off"), (unknown, "BF16"), (page, "longer than the format allows")):
        with pytest.raises(ValueError, match=f"no whole safetensors file: .*{said}"):
            map_tensors(path)
