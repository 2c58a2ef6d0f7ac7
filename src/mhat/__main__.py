"""`python -m mhat`: the command line, where the command itself is not on the path."""

from mhat.terminal.cli import main

if __name__ == "__main__":
    main()
