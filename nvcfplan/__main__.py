"""Lets `python -m nvcfplan` be the command line."""

from nvcfplan.frontends.cli import main

if __name__ == "__main__":
    main()
