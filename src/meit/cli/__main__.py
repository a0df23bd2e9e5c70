import sys

from meit.cli import main

if __name__ == "__main__":
    sys.exit(main())
