"""A vision-language model of the real class, tiny and random, describes windows of a video as prompts."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fitmotion_models.datasets.synthesis import described_windows
from fitmotion_models.datasets.synthesis.described_windows import (
    DescribeSettings,
    describe_videos,
    read_descriptions,
    real_motion,
)
from fitmotion_models.datasets.synthesis.prompts_file import prompt_sources
from fitmotion_models.datasets.synthesis.settings import SynthesisSettings
from fitmotion_models.datasets.synthesis.source_folders import video_sources
from fitmotion_models.datasets.synthesis.vision_language import LONGEST_SIDE, VisionLanguageModel, shrunk

from .conftest import lunge

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
# the form of Qwen's chats
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{% for part in message.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Qwen3-VL with two layers and random weights, saved as the real ones are."""
    torch = pytest.importorskip("torch", reason="torch is installed with what training needs")
    transformers = pytest.importorskip("transformers", reason="transformers is installed with what training needs")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("qwen3_vl")
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE(vocab={letter: index for index, letter in enumerate(letters)}, merges=[]))
    words.pre_tokenizer, words.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    words.add_special_tokens([*SPECIAL, "<|video_pad|>"])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=TEMPLATE
    )
    tokenizer.save_pretrained(folder)
    ids = {name.strip("<|>"): tokenizer.convert_tokens_to_ids(name) for name in (*SPECIAL, "<|video_pad|>")}
    text = {"vocab_size": len(tokenizer), "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    text |= {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 8192}
    text |= {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2]}}
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 32}
    vision |= {"patch_size": 16, "spatial_merge_size": 2, "temporal_patch_size": 2, "num_position_embeddings": 64}
    config = transformers.Qwen3VLConfig(
        text_config=text,
        vision_config={**vision, "deepstack_visual_indexes": [0, 1]},
        image_token_id=ids["image_pad"],
        video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"],
        vision_end_token_id=ids["vision_end"],
    )
    torch.manual_seed(0)
    transformers.Qwen3VLForConditionalGeneration(config).save_pretrained(folder)
    pictures = transformers.Qwen2VLImageProcessorPil(patch_size=16, min_pixels=32 * 32, max_pixels=64 * 64)
    pictures.save_pretrained(folder)
    return folder


def grey(shade: int) -> np.ndarray:
    return np.full((96, 64, 3), shade, np.uint8)


def test_a_question_has_a_token_for_every_patch_of_every_picture(model):
    network = VisionLanguageModel(str(model), "cpu")
    inputs = network.inputs([grey(30), grey(200)], "What is done?")
    grid = inputs["image_grid_thw"]
    assert len(grid) == 2 and inputs["pixel_values"].shape[0] == int(grid.prod(dim=-1).sum())
    ids = inputs["input_ids"][0]
    pads = ids == network._tokenizer.convert_tokens_to_ids("<|image_pad|>")
    assert int(pads.sum()) == int(grid.prod(dim=-1).sum()) // 4 == int(inputs["mm_token_type_ids"].sum())
    text = network._tokenizer.decode(ids)
    assert text.startswith("<|im_start|>user\n<|vision_start|><|image_pad|>")
    assert text.endswith("What is done?<|im_end|>\n<|im_start|>assistant\n")


def test_the_network_answers_the_same_every_time_and_sees_the_pictures(model):
    torch = pytest.importorskip("torch")
    network = VisionLanguageModel(str(model), "cpu")
    first = network([grey(30), grey(200)], "What is done?")
    assert first and first == network([grey(30), grey(200)], "What is done?") and "\n" not in first
    with torch.inference_mode():
        scores = [network._network(**network.inputs([grey(shade)], "What?")).logits[0, -1] for shade in (30, 200)]
    assert not torch.allclose(scores[0], scores[1], atol=1e-6), "the pictures do not reach the network"


def test_other_models_are_refused_in_one_sentence(model, tmp_path):
    with pytest.raises(ValueError, match="vision-language model '.*' cannot be loaded"):
        VisionLanguageModel(str(tmp_path))
    config = json.loads((model / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "gpt2", "text_config": None}))
    with pytest.raises(ValueError, match="it is of the kind gpt2; known: qwen2_vl") as error:
        VisionLanguageModel(str(tmp_path))
    assert "\n" not in str(error.value)


def test_pictures_are_made_no_larger_than_is_worth_it():
    assert shrunk(np.zeros((1920, 1080, 3), np.uint8)).shape == (LONGEST_SIDE, 252, 3)
    assert shrunk(grey(1)).shape == (96, 64, 3)


@pytest.fixture
def videos(tmp_path, monkeypatch) -> Path:
    """A video whose pictures are as bright as their time, of a body that does a lunge in it."""
    folder = tmp_path / "videos"
    folder.mkdir()
    writer = cv2.VideoWriter(str(folder / "lunge.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 20.0, (64, 96))
    for index in range(len(lunge("left"))):
        writer.write(np.full((96, 64, 3), 3 * index, np.uint8))
    writer.release()
    (folder / "labels.csv").write_text("file,subject,label\nlunge.mp4,anna,lunge\n")
    monkeypatch.setattr(described_windows, "read_any_clip", lambda *_, **__: lunge("left"))
    return folder


class Teller:
    """Says what it was shown."""

    def __init__(self) -> None:
        self.shown: list[list[float]] = []

    def __call__(self, pictures, instruction) -> str:
        self.shown.append([float(picture.mean()) for picture in pictures])
        assert "a person" in instruction
        return "a person performs a lunge with the left foot in front"


def test_windows_become_prompts_along_the_real_motion(videos, tmp_path):
    out, teller = tmp_path / "described", Teller()
    settings = DescribeSettings(window_s=1.5, pictures=3)
    windows, left_out = describe_videos(out, video_sources(videos), teller, "teller", settings)
    assert not left_out and [(one.start_s, one.end_s) for one in windows] == [(0.0, 1.5), (1.5, 3.0)]
    # pictures in the middle of each third: .25, .75 and 1.25 s of 20 frames a second and 3 grey levels a frame
    for number, shades in enumerate(teller.shown):
        expected = [3 * 20 * (1.5 * number + at) for at in (0.25, 0.75, 1.25)]
        np.testing.assert_allclose(shades, expected, atol=6.0)
    sources = prompt_sources(out / "prompts.yaml", SynthesisSettings())
    assert [source.about.subject for source in sources] == ["anna", "anna"]
    assert all(source.about.labels[0].label == "lunge" for source in sources)
    condition = sources[1].condition
    real = real_motion(lunge("left"), 1.5, 3.0)
    assert condition.seconds == pytest.approx(1.5, abs=0.06)
    assert [keyframe.stamp for keyframe in condition.keyframes] == pytest.approx([0.0, 0.5, 1.0], abs=0.03)
    np.testing.assert_allclose(condition.keyframes[1].pose.rotations, real.frame(10).rotations, atol=1e-6)
    np.testing.assert_allclose(condition.path.positions[2], real.positions[10, 0, :2], atol=2e-3)


def test_what_is_described_is_not_described_again(videos, tmp_path):
    out, settings = tmp_path / "described", DescribeSettings(window_s=1.5)

    def stops_at_the_second(pictures, instruction):
        if first.shown:
            raise KeyboardInterrupt
        return first(pictures, instruction)

    first = Teller()
    with pytest.raises(KeyboardInterrupt):
        describe_videos(out, video_sources(videos), stops_at_the_second, "teller", settings)
    assert len(read_descriptions(out)) == 1 and not (out / "prompts.yaml").exists()
    second = Teller()
    describe_videos(out, video_sources(videos), second, "teller", settings)
    assert len(second.shown) == 1
    describe_videos(out, video_sources(videos), second, "another", settings)
    assert len(second.shown) == 3
    assert len(prompt_sources(out / "prompts.yaml", SynthesisSettings())) == 2


def test_empty_words_and_lost_bodies_are_left_out(videos, tmp_path, monkeypatch):
    _, left_out = describe_videos(
        tmp_path / "a", video_sources(videos), lambda *_: " ", "mute", DescribeSettings(window_s=1.5)
    )
    assert len(left_out) == 2 and all("prompt is empty" in why for why in left_out.values())
    short = DescribeSettings(window_s=10.0)
    _, left_out = describe_videos(tmp_path / "b", video_sources(videos), Teller(), "teller", short)
    assert "shows a body for less than 10 s" in left_out["video_lunge"]
    clip = lunge("left")
    clip.positions[30:, 0] += 4.0
    try:
        with pytest.raises(ValueError, match=r"jumps from place to place"):
            real_motion(clip, 0.0, 3.0)
    finally:
        clip.positions[30:, 0] -= 4.0


def test_a_tiny_network_goes_all_the_way(videos, model, tmp_path):
    network = VisionLanguageModel(str(model), "cpu")
    settings = DescribeSettings(window_s=1.5, pictures=2)
    windows, left_out = describe_videos(tmp_path / "out", video_sources(videos), network, str(model), settings)
    assert len(windows) + len(left_out) == 2 and windows, left_out
    sources = prompt_sources(tmp_path / "out" / "prompts.yaml", SynthesisSettings())
    assert [source.condition.prompt for source in sources] == [
        " ".join("".join(c if c.isprintable() else " " for c in one.words).split()) for one in windows
    ]
