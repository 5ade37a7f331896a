"""`python -m opencrm_ms365.sandbox`: the sandbox without Django, in the foreground."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from .command import HELP, CannotStart, add_arguments, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m opencrm_ms365.sandbox", description=HELP)
    add_arguments(parser)
    try:
        run(**vars(parser.parse_args()), say=partial(print, flush=True))
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
