from __future__ import annotations

import json
import sys

from bench.lean_ecoa.calls import Calls, Setting
from bench.lean_ecoa.server import Server

if __name__ == "__main__":
    port, certificate, key, setting = sys.argv[1:5]
    late = float(sys.argv[5]) / 1000 if len(sys.argv) > 5 else 0.0
    Server(Calls(Setting(**json.loads(setting))).answer, certificate, key, late=late).serve(int(port))
