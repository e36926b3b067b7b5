"""Words about pictures by a vision-language model of the Qwen-VL kind (Qwen3-VL and those before), by `transformers`.

The package is installed with what training needs. A name on the hub is downloaded once, a folder is only read.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.runtime.transformers_models import loading, transformers_libraries

Image = NDArray[np.uint8]

KINDS = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5", "qwen3_5_moe")
"""Families of models whose pictures stand in the text as `<|image_pad|>`, by the name in their config.json."""

LONGEST_SIDE = 448
"""Pictures are made no larger than this, pixels: a person stays a person, and six of them stay a thousand tokens."""
_MOST_TOKENS = 96


class VisionLanguageModel:
    """A model that says what pictures show. name: folder or name on the hub. device: cpu, cuda; "": what there is.

    Raises ValueError, one sentence, where transformers is missing and for a model that is none of `KINDS`.
    """

    def __init__(self, name: str, device: str = "") -> None:
        self.name = name
        what = f"vision-language model '{name}'"
        self._torch, transformers = transformers_libraries(
            what, "start this with ./fitmotion, which installs them once"
        )
        with loading(what, "the folder of a whole model such as Qwen3-VL-2B-Instruct"):
            config = transformers.AutoConfig.from_pretrained(name)
            if config.model_type not in KINDS:
                raise ValueError(f"it is of the kind {config.model_type}; known: {', '.join(KINDS)}")
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(name)
            # the one that works without torchvision
            self._pictures = transformers.Qwen2VLImageProcessorPil.from_pretrained(name)
            self.device = device or ("cuda" if self._torch.cuda.is_available() else "cpu")
            network = transformers.AutoModelForImageTextToText.from_pretrained(name, dtype="auto")
            self._network = network.to(self.device).eval()
        self._picture_token = str(self._tokenizer.convert_ids_to_tokens(config.image_token_id))
        self._picture_id = int(config.image_token_id)

    def __call__(self, images: Sequence[Image], instruction: str) -> str:
        """What the model answers to pictures (H, W, 3) uint8 RGB and words, the same each time: one paragraph."""
        torch = self._torch
        inputs = {name: tensor.to(self.device) for name, tensor in self.inputs(images, instruction).items()}
        with torch.inference_mode():
            found = self._network.generate(**inputs, max_new_tokens=_MOST_TOKENS, do_sample=False)
        answer = found[0, inputs["input_ids"].shape[1] :]
        text = str(self._tokenizer.decode(answer, skip_special_tokens=True)).strip()
        return " ".join(text.split("\n\n")[0].split())

    def inputs(self, images: Sequence[Image], instruction: str) -> dict[str, Any]:
        """What the network reads: the chat of one question, with a token for every patch of every picture."""
        torch = self._torch
        content = [*({"type": "image"} for _ in images), {"type": "text", "text": instruction}]
        chat = [{"role": "user", "content": content}]
        text = self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        if text.count(self._picture_token) != len(images):
            raise ValueError(f"{self.name}: its chat template has no place for pictures; give a vision-language model")
        read = self._pictures(images=[shrunk(image) for image in images], return_tensors="pt")
        counts = read["image_grid_thw"].prod(dim=-1) // self._pictures.merge_size**2
        before, *after = text.split(self._picture_token)
        for count, part in zip(counts.tolist(), after, strict=True):
            before += self._picture_token * count + part
        tokens = self._tokenizer(before, return_tensors="pt")
        return {
            "input_ids": tokens["input_ids"],
            "attention_mask": tokens["attention_mask"],
            "mm_token_type_ids": (tokens["input_ids"] == self._picture_id).to(torch.int64),
            "pixel_values": read["pixel_values"],
            "image_grid_thw": read["image_grid_thw"],
        }


def shrunk(image: Image) -> Image:
    """The picture with no side longer than `LONGEST_SIDE`."""
    import cv2

    height, width = image.shape[:2]
    factor = LONGEST_SIDE / max(height, width)
    if factor >= 1.0:
        return image
    size = max(1, round(width * factor)), max(1, round(height * factor))
    result: Image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return result
