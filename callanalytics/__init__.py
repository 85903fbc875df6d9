"""callanalytics: recorded calls of a municipal contact centre in, reviewed quality out.

Importing this package loads neither torch, spaCy nor a recogniser; each stage imports its own engine when it is built.
"""

__version__ = "0.1.0"
