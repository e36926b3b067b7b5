"""Running networks: one type over ONNX Runtime, whichever engine the machine has."""

from fitmotion_models.runtime.session import Model, ModelError, Tensor, load_model

__all__ = ["Model", "ModelError", "Tensor", "load_model"]
