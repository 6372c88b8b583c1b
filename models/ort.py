"""ONNX Runtime, told to keep to itself: the only place that imports it.

Since 1.29 its official builds send telemetry to their maker and leave a file in the temporary folder, unless they are
told not to before they are first imported (microsoft/onnxruntime#27379).
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as onnxruntime  # behind the line that it has to see; handed on
