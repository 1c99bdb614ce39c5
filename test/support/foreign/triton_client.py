"""What Triton's own HTTP client says to an Open Inference Protocol server. Usage: triton_client.py HOST:PORT MODEL ROWS.json -> one JSON line."""
import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

url, model, file = sys.argv[1:4]
rows = np.array(json.load(open(file)), dtype=np.float64)
client = triton.InferenceServerClient(url=url)
out = {
    "live": client.is_server_live(),
    "ready": client.is_server_ready(),
    "model_ready": client.is_model_ready(model),
    "server": client.get_server_metadata(),
    "model": client.get_model_metadata(model),
}
version = out["model"]["versions"][0]
out["version_ready"] = client.is_model_ready(model, version)
out["other_version_ready"] = client.is_model_ready(model, "other")


def infer(values, datatype, binary_in, wanted, version=""):
    tensor = triton.InferInput("input", list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary_in)
    outputs = None if wanted is None else [triton.InferRequestedOutput(name, binary_data=binary) for name, binary in wanted]
    answer = client.infer(model, [tensor], model_version=version, outputs=outputs, request_id="r1")
    said = answer.get_response()
    assert said["id"] == "r1" and said["model_name"] == model, said
    score = answer.as_numpy("score")
    decision = answer.as_numpy("decision")
    return {
        "score": score.tolist(), "dtype": str(score.dtype), "version": said["model_version"],
        "decision": None if decision is None else [text.decode() if isinstance(text, bytes) else str(text) for text in decision.tolist()],
    }


both = [("score", True), ("decision", True)]
out["answers"] = [
    infer(rows.astype(np.float32), "FP32", True, None),
    infer(rows.astype(np.float32), "FP32", True, both, version),
    infer(rows, "FP64", True, [("score", True)]),
    infer(rows, "FP64", True, [("decision", False), ("score", True)]),
    infer(rows.astype(np.float32), "FP32", False, [("score", False)]),
    infer(rows, "FP64", False, [("score", True), ("decision", False)]),
]
out["half"] = infer(np.zeros_like(rows, dtype=np.float16), "FP16", True, both)
out["whole"] = infer(np.zeros_like(rows, dtype=np.int64), "INT64", True, both)
out["many"] = infer(np.repeat(rows.astype(np.float32), 400, axis=0), "FP32", True, [("score", True)])["score"]
tensor = triton.InferInput("input", list(rows.shape), "FP64")
tensor.set_data_from_numpy(rows)
out["async"] = client.async_infer(model, [tensor]).get_result().as_numpy("score").tolist()

out["errors"] = []
for name, shape in (("wrong", rows.shape), ("input", (rows.shape[0], rows.shape[1] - 1))):
    tensor = triton.InferInput(name, list(shape), "FP64")
    tensor.set_data_from_numpy(np.zeros(shape))
    try:
        client.infer(model, [tensor])
    except InferenceServerException as error:
        out["errors"].append([error.status(), error.message()])
print(json.dumps(out))
