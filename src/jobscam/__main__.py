"""``python -m jobscam`` is the command ``jobscam``."""

from jobscam.cli.app import main

if __name__ == "__main__":
    main()
