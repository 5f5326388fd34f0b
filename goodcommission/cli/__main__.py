"""``python -m goodcommission.cli``."""

from goodcommission.cli import main

if __name__ == "__main__":
    main(prog_name="goodcommission")
