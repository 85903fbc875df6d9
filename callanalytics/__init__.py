"""callanalytics: recorded calls of a municipal contact centre in, reviewed quality out.

Importing this package loads neither torch, spaCy nor a recogniser; each stage imports its own engine when it is built.
"""

import os

__version__ = "0.1.0"

# Read when the engines load.  pyannote.audio reports usage home unless told not to; threads that wait by spinning take
# the cores from the other engine in this process (speaker embedding on a busy 2-core machine: 3.6 times slower).
os.environ["PYANNOTE_METRICS_ENABLED"] = "0"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
