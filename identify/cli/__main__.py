"""``python -m identify.cli``."""

from identify.cli import main

if __name__ == "__main__":
    main()
