"""`python -m roomkit.cli`: the same as `roomkit`."""

import sys

from roomkit.cli import main

sys.exit(main())
