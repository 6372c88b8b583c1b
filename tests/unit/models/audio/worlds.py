"""A release whose tracks were heard: vectors on a fan, the nearer two rows, the nearer their sound. Ready networks."""

from pathlib import Path

import faiss
import msgspec
import numpy as np
import polars as pl

from models.audio import part
from models.audio.about import ABOUT, About, network_file
from models.audio.settings import TASKS, VECTOR, WIDTH, MelSettings


def fan(count: int) -> np.ndarray:
    angles = np.linspace(0, np.pi / 2, count)
    vectors = np.zeros((count, VECTOR), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(angles), np.sin(angles)
    return vectors


def write_sounds(folder: Path, rows: list[int]) -> None:
    """The files of the part, for these rows of the catalogue."""
    vectors = fan(len(rows))
    index = faiss.IndexFlatIP(VECTOR)
    index.add(vectors)
    faiss.write_index(index, str(folder / part.INDEX))
    np.save(folder / part.ROWS, np.array(rows, dtype=np.int64))
    np.save(folder / part.VECTORS, vectors.astype(np.float16))
    np.save(folder / part.MEAN, np.zeros(VECTOR, dtype=np.float32))
    uris = [f"file:///music/{row}.mp3" for row in rows]
    pl.DataFrame({"audio": uris, "seconds": [30.0] * len(rows)}).write_parquet(folder / part.TRACKS)
    for task in TASKS:
        (folder / network_file(task)).write_bytes(b"")
    (folder / ABOUT).write_text('{"mels": {}, "classes": {}, "frames": {}, "taught_with": {}}')


def write_networks(folder: Path) -> Path:
    """Three graphs that nobody taught: the mean of each row of the log-mel, thrown onto the vector and two classes."""
    from onnx import TensorProto, helper, numpy_helper, save

    mels = MelSettings()
    folder.mkdir()
    for task in TASKS:
        rng = np.random.default_rng(TASKS.index(task))
        thrown = {"vector": rng.normal(size=(mels.rows, WIDTH)), "logits": rng.normal(size=(mels.rows, 2))}
        constants = [numpy_helper.from_array(one.astype(np.float32), f"{name}_of") for name, one in thrown.items()]
        nodes = [helper.make_node("ReduceMean", ["mels"], ["mean"], axes=[2], keepdims=0)]
        nodes += [helper.make_node("MatMul", ["mean", f"{name}_of"], [name]) for name in thrown]
        asked = helper.make_tensor_value_info("mels", TensorProto.FLOAT, ["n", mels.rows, "frames"])
        said = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", one.shape[1]]) for name, one in thrown.items()
        ]
        graph = helper.make_graph(nodes, task, [asked], said, constants)
        save(
            helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
            folder / network_file(task),
        )
    same = {task: mels.frames(1.0) for task in TASKS}
    about = About(mels, {task: ["a", "b"] for task in TASKS}, same, dict.fromkeys(TASKS, 0))
    (folder / ABOUT).write_bytes(msgspec.json.encode(about))
    return folder
