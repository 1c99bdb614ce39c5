"""Evidently's DataDriftPreset on two files of little-endian doubles, row-major: the time of run(), and each column's score."""
import json
import sys
import time

import numpy
import pandas
from evidently import Report
from evidently.presets import DataDriftPreset

folder, *names = sys.argv[1:]


def frame(side):
    return pandas.DataFrame(numpy.fromfile(f"{folder}/{side}.f64", dtype="<f8").reshape(-1, len(names)), columns=names)


reference, current = frame("reference"), frame("current")
started = time.perf_counter()
snapshot = Report([DataDriftPreset()]).run(current, reference)
seconds = time.perf_counter() - started
scores = {}
for metric in snapshot.dict()["metrics"]:
    config = metric.get("config", {})
    column = config.get("column") or next((name for name in names if f"column={name}," in str(metric.get("metric_name", metric.get("metric_id", "")))), None)
    if column is not None and isinstance(metric["value"], (int, float)):
        scores[column] = metric["value"]
print(json.dumps({"seconds": seconds, "scores": scores}))
