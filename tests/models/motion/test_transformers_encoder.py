"""Other text encoders, as tiny networks with random weights in the form that the real ones have."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitmotion_models.motion.text import load_text_encoder

pytestmark = pytest.mark.slow
PROMPTS = ["a squat", "squat a squat", "a a a squat"]


@pytest.fixture(scope="module")
def libraries() -> tuple[Any, Any]:
    torch = pytest.importorskip("torch", reason="torch is not installed; `./fitmotion test` installs it")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed; see requirements.lock")
    torch.manual_seed(0)
    return torch, transformers


def clip_tokenizer(transformers: Any) -> Any:
    words = [*"asqut", *(f"{letter}</w>" for letter in "asqut"), "<|startoftext|>", "<|endoftext|>"]
    return transformers.CLIPTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=[])


def test_clip_gives_its_projected_features(libraries: tuple[Any, Any], tmp_path: Path) -> None:
    torch, transformers = libraries
    tokenizer = clip_tokenizer(transformers)
    config = transformers.CLIPTextConfig(
        vocab_size=12,
        hidden_size=16,
        intermediate_size=32,
        projection_dim=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=20,
        bos_token_id=10,
        eos_token_id=11,
        pad_token_id=11,
    )
    network = transformers.CLIPTextModelWithProjection(config).eval()
    folder = tmp_path / "tiny-clip"
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    encoder = load_text_encoder(f"clip:{folder}")
    assert (encoder.name, encoder.size) == ("clip:tiny-clip", 8)
    # by CLIP's definition: the projection of the normalised state at the end of the text, here without any padding
    for prompt, found in zip(PROMPTS, encoder.encode(PROMPTS), strict=True):
        ids = torch.tensor([[10, *tokenizer(prompt, add_special_tokens=False)["input_ids"], 11]])
        with torch.inference_mode():
            state = network.text_model(ids).last_hidden_state[0, -1]
            wanted = network.text_projection(state).numpy()
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    with pytest.raises(ValueError, match=r"text encoder 'clip:.*nowhere' cannot be loaded: "):
        load_text_encoder(f"clip:{tmp_path / 'nowhere'}")


def sentence_model(transformers: Any, folder: Path, last: dict[str, Any]) -> Any:
    """A tiny BERT, mean pooling and one more module, as sentence-transformers saves them."""
    config = transformers.BertConfig(
        vocab_size=8, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
    )
    network = transformers.BertModel(config).eval()
    network.save_pretrained(folder)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "squat", "jump"]
    transformers.BertTokenizer(vocab={word: number for number, word in enumerate(words)}).save_pretrained(folder)
    modules = [
        {"path": "", "type": "sentence_transformers.models.Transformer"},
        {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        last,
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32}))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False})
    )
    return network


def test_a_sentence_model_is_transformer_pooling_and_dense(libraries: tuple[Any, Any], tmp_path: Path) -> None:
    torch, transformers = libraries
    from safetensors.torch import save_file

    folder = tmp_path / "tiny"
    network = sentence_model(transformers, folder, {"path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    weight = torch.randn(4, 16)
    (folder / "2_Dense").mkdir()
    save_file({"linear.weight": weight}, folder / "2_Dense" / "model.safetensors")
    (folder / "2_Dense" / "config.json").write_text(
        json.dumps(
            {
                "in_features": 16,
                "out_features": 4,
                "bias": False,
                "activation_function": "torch.nn.modules.linear.Identity",
            }
        )
    )
    encoder = load_text_encoder(f"sentence:{folder}")
    assert (encoder.name, encoder.size) == ("sentence:tiny", 4)
    numbers = {"a": 5, "squat": 6}
    for prompt, found in zip(PROMPTS, encoder.encode(PROMPTS), strict=True):
        ids = torch.tensor([[2, *(numbers[word] for word in prompt.split()), 3]])
        with torch.inference_mode():
            wanted = network(ids).last_hidden_state[0].mean(dim=0) @ weight.T
        np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)


def test_a_sentence_model_of_other_parts_is_refused(libraries: tuple[Any, Any], tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    sentence_model(libraries[1], folder, {"path": "2_LSTM", "type": "sentence_transformers.models.LSTM"})
    with pytest.raises(ValueError, match="made of Transformer, Pooling, LSTM; known: Dense, Normalize, Pooling"):
        load_text_encoder(f"sentence:{folder}")


def test_the_installed_encoder_by_transformers_is_the_same(libraries: tuple[Any, Any]) -> None:
    from fitmotion_models.motion.minilm import minilm_folder

    other = load_text_encoder(f"sentence:{minilm_folder()}")
    np.testing.assert_allclose(other.encode(PROMPTS), load_text_encoder().encode(PROMPTS), atol=1e-4)
