"""Schemathesis's command line, with ast.parse done by one thread at a time: Python 3.11 before .8 fails where two do."""

import ast
import runpy
import threading

_lock = threading.RLock()
_parse = ast.parse


def _parse_alone(*args, **options):
    with _lock:
        return _parse(*args, **options)


ast.parse = _parse_alone
runpy.run_module("schemathesis.cli", run_name="__main__", alter_sys=True)
