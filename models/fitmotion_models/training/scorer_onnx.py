"""A fitted scorer as one network (ONNX): the same numbers from the same features, without scikit-learn."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.training.scorer_best import MEMBER_LIMIT, OneTestScorer
from fitmotion_models.training.scorer_model import (
    FEATURE_LIMIT,
    SHARE_LIMIT,
    LinearPart,
    Member,
    TreesPart,
)

OPSET, TREES_OPSET, IR_VERSION = 17, 3, 8


def save_onnx(path: Path, scorer: OneTestScorer, metadata: dict[str, str]) -> None:
    """Write a scorer's graph: features (1, F) and sided_features (K, S), NaN where unseen, to meets (1, 1).

    metadata: what the file says of itself.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph()
    logits = [_member(graph, member, number) for number, member in enumerate(scorer.members)]
    clipped = [graph.node("Clip", [one, graph.constant(-MEMBER_LIMIT), graph.constant(MEMBER_LIMIT)]) for one in logits]
    mean = graph.node("Mean", clipped)
    scaled = graph.node("Mul", [mean, graph.constant(scorer.slope)])
    graph.node("Sigmoid", [graph.node("Add", [scaled, graph.constant(scorer.offset)])], "meets")
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "fms_scorer",
            [
                helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, len(metadata_names(metadata, 0))]),
                helper.make_tensor_value_info(
                    "sided_features", TensorProto.FLOAT, ["sides", len(metadata_names(metadata, 1))]
                ),
            ],
            [helper.make_tensor_value_info("meets", TensorProto.FLOAT, [1, 1])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)],
        ir_version=IR_VERSION,
        producer_name="fitmotion",
    )
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def metadata_names(metadata: dict[str, str], sided: int) -> list[str]:
    """The names of the features, or of the sided ones, as the file holds them."""
    count = int(metadata["whole_features"])
    names = metadata["features"].split()
    return names[count:] if sided else names[:count]


class _Graph:
    """Nodes and constants as they are added; every node has one output, whose name is returned."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output


def _member(graph: _Graph, member: Member, number: int) -> str:
    """Log odds (1, 1) of one member."""
    part = member.part
    raw = "sided_features" if member.sided else "features"
    chosen = graph.node("Gather", [raw, graph.constant(part.columns, np.int64)], axis=1)
    scaled = graph.node("Div", [graph.node("Sub", [chosen, graph.constant(part.centre)]), graph.constant(part.scale)])
    seen = graph.node("Where", [graph.node("IsNaN", [scaled]), graph.constant(0.0), scaled])
    features = graph.node("Clip", [seen, graph.constant(-FEATURE_LIMIT), graph.constant(FEATURE_LIMIT)])
    if isinstance(part, LinearPart):
        product = graph.node("MatMul", [features, graph.constant(part.weights[:, None])])
        logit = graph.node("Add", [product, graph.constant(part.bias)])
    else:
        logit = _trees(graph, part, features, number)
    return graph.node("ReduceMean", [logit], axes=[0], keepdims=1) if member.sided else logit


def _trees(graph: _Graph, part: TreesPart, features: str, number: int) -> str:
    share = graph.node(
        "TreeEnsembleRegressor", [features], f"forest{number}", domain="ai.onnx.ml", **_forest(part.forest)
    )
    share = graph.node("Clip", [share, graph.constant(SHARE_LIMIT), graph.constant(1.0 - SHARE_LIMIT)])
    return graph.node("Log", [graph.node("Div", [share, graph.node("Sub", [graph.constant(1.0), share])])])


def _forest(forest: Any) -> dict[str, Any]:
    """A forest of scikit-learn as the attributes of a TreeEnsembleRegressor: the mean share of "correct"."""
    columns: dict[str, list[Any]] = {
        name: []
        for name in (
            *("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values", "nodes_modes"),
            *("nodes_truenodeids", "nodes_falsenodeids"),
            *("target_treeids", "target_nodeids", "target_ids", "target_weights"),
        )
    }
    for number, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        leaf = tree.children_left < 0
        nodes = np.arange(tree.node_count)
        columns["nodes_treeids"] += [number] * tree.node_count
        columns["nodes_nodeids"] += nodes.tolist()
        columns["nodes_featureids"] += np.where(leaf, 0, tree.feature).tolist()
        columns["nodes_values"] += _below(np.where(leaf, 0.0, tree.threshold)).tolist()
        columns["nodes_modes"] += ["LEAF" if one else "BRANCH_LEQ" for one in leaf]
        columns["nodes_truenodeids"] += np.where(leaf, 0, tree.children_left).tolist()
        columns["nodes_falsenodeids"] += np.where(leaf, 0, tree.children_right).tolist()
        shares = tree.value[leaf, 0, 1] / tree.value[leaf, 0].sum(axis=1)
        columns["target_treeids"] += [number] * int(leaf.sum())
        columns["target_nodeids"] += nodes[leaf].tolist()
        columns["target_ids"] += [0] * int(leaf.sum())
        columns["target_weights"] += (shares / len(forest.estimators_)).tolist()
    return {**columns, "n_targets": 1}


def _below(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Thresholds as 32-bit numbers that no feature of 32 bits can tell from the 64-bit ones."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded).astype(np.float32)
