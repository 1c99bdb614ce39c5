"""Evidently's DataDriftPreset on two files of little-endian doubles, row-major: time, CPU and peak memory of run(), and each column's score."""
import json
import resource
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
started, cpu = time.perf_counter(), time.process_time()
snapshot = Report([DataDriftPreset()]).run(current, reference)
seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
scores = {}
for metric in snapshot.dict()["metrics"]:
    config = metric.get("config", {})
    column = config.get("column") or next((name for name in names if f"column={name}," in str(metric.get("metric_name", metric.get("metric_id", "")))), None)
    if column is not None and isinstance(metric["value"], (int, float)):
        scores[column] = metric["value"]
peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_mib": peak_mib, "scores": scores}))
