"""`python -m ernn.explore`: which network fits which device, by the cost model."""

import sys

from ernn.explore.fit import main

if __name__ == "__main__":
    sys.exit(main())
