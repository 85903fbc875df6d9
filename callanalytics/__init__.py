"""callanalytics: recorded calls of a municipal contact centre in, reviewed quality out.

Importing this package loads neither torch, spaCy nor a recogniser; each stage imports its own engine when it is built.
"""

import os

__version__ = "0.1.0"

# Read when the engines load.  pyannote.audio and, since 1.29, ONNX Runtime (under the voice activity detector) report
# usage home unless told not to.  Threads that wait for each other
# spin for some microseconds, not for the library's milliseconds: those take the cores from another engine (speaker
# embedding on a busy machine: 3.6 times slower), and none at all leaves torch's many small steps to one core
# (diarization: 2.3 times slower).
os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
