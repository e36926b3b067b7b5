"""Text encoders by `transformers`: CLIP's text model, and sentence-transformers models such as sentence-T5.

Both packages are installed with what training needs. A name on the hub is downloaded once, a folder is only read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from fitmotion_models.motion.text import CachedEncoder, TextEncoder, short_name
from fitmotion_models.runtime.transformers_models import loading, transformers_libraries
from fitmotion_models.skeleton.body_pose import Float32

_BATCH = 64
_POOLINGS = {"pooling_mode_mean_tokens", "pooling_mode_cls_token", "pooling_mode_max_tokens"}
_FILES = ("*.json", "*.txt", "*.model", "model*.safetensors", "[1-9]_*")  # of a model on the hub
_MODULES = {"Transformer", "Pooling", "Dense", "Normalize"}


def load_clip(model: str) -> TextEncoder:
    """CLIP's projected text features (Radford et al. 2021), as MDM is conditioned on; not of unit length.

    model: folder or name on the hub. Raises ValueError for one that is no CLIP, and where transformers is missing.
    """
    torch, transformers = _libraries(f"clip:{model}")
    with _loading(f"clip:{model}"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        network = transformers.CLIPTextModelWithProjection.from_pretrained(model).eval()
    longest = int(network.config.max_position_embeddings)

    def read(texts: Sequence[str]) -> Float32:
        tokens = tokenizer(list(texts), padding=True, truncation=True, max_length=longest, return_tensors="pt")
        return _array(network(**tokens).text_embeds)

    return CachedEncoder(short_name(f"clip:{model}"), int(network.config.projection_dim), _in_batches(read, torch))


def load_sentence_t5(model: str) -> TextEncoder:
    """Sentence-T5 (Ni et al. 2021) in sentence-transformers' form; model: folder or name on the hub."""
    return _sentence_encoder(f"sentence-t5:{model}", model)


def load_sentence_model(model: str) -> TextEncoder:
    """Any sentence-transformers model of a transformer, pooling, dense layers and normalisation.

    model: folder or name on the hub. Raises ValueError for one of other parts, and where transformers is missing.
    """
    return _sentence_encoder(f"sentence:{model}", model)


def _sentence_encoder(name: str, model: str) -> TextEncoder:
    torch, transformers = _libraries(name)
    with _loading(name):
        folder = _folder(model)
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = [module["type"].rpartition(".")[2] for module in modules]
        if kinds[:2] != ["Transformer", "Pooling"] or not set(kinds) <= _MODULES:
            raise ValueError(f"it is made of {', '.join(kinds)}; known: {', '.join(sorted(_MODULES))}")
        transform = _transformer(transformers, folder / modules[0]["path"])
        steps = [_pooling(torch, folder / modules[1]["path"])]
        for kind, module in zip(kinds[2:], modules[2:], strict=True):
            steps.append(_dense(torch, folder / module["path"]) if kind == "Dense" else torch.nn.functional.normalize)

    def read(texts: Sequence[str]) -> Float32:
        found = transform(texts)
        for step in steps:
            found = step(found)
        return _array(found)

    encode = _in_batches(read, torch)
    return CachedEncoder(short_name(name), encode([" "]).shape[1], encode)


def _transformer(transformers: Any, folder: Path) -> Callable[[Sequence[str]], tuple[Any, Any]]:
    """Texts to hidden states and their mask."""
    settings = json.loads((folder / "sentence_bert_config.json").read_text(encoding="utf-8"))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    config = transformers.AutoConfig.from_pretrained(folder)
    # of T5 sentence embeddings use the encoder alone
    kind = transformers.T5EncoderModel if config.model_type == "t5" else transformers.AutoModel
    network = kind.from_pretrained(folder).eval()
    longest = settings.get("max_seq_length") or tokenizer.model_max_length

    def transform(texts: Sequence[str]) -> tuple[Any, Any]:
        tokens = tokenizer(list(texts), padding=True, truncation=True, max_length=int(longest), return_tensors="pt")
        return network(**tokens).last_hidden_state, tokens["attention_mask"]

    return transform


def _pooling(torch: Any, folder: Path) -> Callable[[Any], Any]:
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    wanted = {key for key, value in settings.items() if key.startswith("pooling_mode") and value is True}
    if len(wanted) != 1 or not wanted <= _POOLINGS:
        raise ValueError(f"it pools by {', '.join(sorted(wanted)) or 'nothing'}; known: {', '.join(sorted(_POOLINGS))}")
    mode = wanted.pop()

    def pool(given: tuple[Any, Any]) -> Any:
        states, mask = given[0], given[1][..., None].to(given[0].dtype)
        if mode == "pooling_mode_cls_token":
            return states[:, 0]
        if mode == "pooling_mode_max_tokens":
            return states.masked_fill(mask == 0, -torch.inf).amax(dim=1)
        return (states * mask).sum(dim=1) / mask.sum(dim=1)

    return pool


def _dense(torch: Any, folder: Path) -> Callable[[Any], Any]:
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    layer = torch.nn.Linear(settings["in_features"], settings["out_features"], bias=settings["bias"])
    if (folder / "model.safetensors").is_file():
        from safetensors.torch import load_file

        tensors = load_file(folder / "model.safetensors")
    else:
        tensors = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    layer.load_state_dict({key.removeprefix("linear."): value for key, value in tensors.items()})
    activation = settings["activation_function"].rpartition(".")[2]
    if activation not in ("Identity", "Tanh"):
        raise ValueError(f"its dense layer ends with {activation}; known: Identity, Tanh")
    return torch.nn.Sequential(layer, getattr(torch.nn, activation)()).eval()


def _folder(model: str) -> Path:
    if Path(model).expanduser().is_dir():
        return Path(model).expanduser()
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(model, allow_patterns=["*.json", "*.txt", "*.model", "model*.safetensors", "[1-9]_*"])
    )


def _in_batches(read: Callable[[Sequence[str]], Float32], torch: Any) -> Callable[[Sequence[str]], Float32]:
    def encode(texts: Sequence[str]) -> Float32:
        with torch.inference_mode():
            return np.concatenate([read(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)])

    return encode


def _array(tensor: Any) -> Float32:
    found: Float32 = tensor.detach().float().cpu().numpy()
    return found


def _libraries(name: str) -> tuple[Any, Any]:
    otherwise = "`./fitmotion train` and `./fitmotion test` install them, or use 'minilm'"
    return transformers_libraries(f"text encoder '{name}'", otherwise)


def _loading(name: str) -> AbstractContextManager[None]:
    return loading(f"text encoder '{name}'", "a whole model's folder")
