"""Small networks written here, so that what they have to give is known."""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def matrix_network(tmp_path: Path) -> Path:
    """y = x @ MATRIX for x of shape (n, 3), and the sum of x, as the free size `n` asks."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "matrix"], ["y"]),
            helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0),
        ],
        "matrix",
        [helper.make_tensor_value_info("x", kind, ["n", 3])],
        [helper.make_tensor_value_info("y", kind, ["n", 4]), helper.make_tensor_value_info("total", kind, [])],
        [onnx.numpy_helper.from_array(MATRIX, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    helper.set_model_props(model, {"trained_on": "nothing"})
    onnx.checker.check_model(model)
    path = tmp_path / "matrix.onnx"
    onnx.save(model, path)
    return path
