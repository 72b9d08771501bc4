"""`python -m gotrace` is the command line."""

import sys

from gotrace.cli import main

sys.exit(main())
