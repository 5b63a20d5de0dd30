#!/usr/bin/env python3
"""The one entry point: `up`, `check_all`, and every Django command.

Standard library only: it may be run by any Python before the environment exists, and makes the rest itself.
"""

import os
import sys

# An old Python must still be able to read this far, and be told.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("This product needs Python 3.11 or newer; this is Python %d.%d." % sys.version_info[:2])  # noqa: UP031

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from config.bootstrap.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
