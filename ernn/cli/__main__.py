"""`python -m ernn.cli`, as `ernn`."""

import sys

from ernn.cli import main

sys.exit(main())
