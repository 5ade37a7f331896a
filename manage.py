#!/usr/bin/env python
"""The demo project's command line."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_crm.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed in this Python. Run `make demo`, which sets up what is needed.")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
