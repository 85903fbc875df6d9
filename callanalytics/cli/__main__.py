"""Run the command line as `python -m callanalytics.cli`."""

import sys

from callanalytics.cli.main import main

sys.exit(main())
