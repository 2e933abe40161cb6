"""A program that is not ours and holds the database file `PATH` locked until its input ends."""

from __future__ import annotations

import sqlite3
import sys

other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("begin exclusive")
print("held", flush=True)
sys.stdin.read()
other.execute("rollback")
