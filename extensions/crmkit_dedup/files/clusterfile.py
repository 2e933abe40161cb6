"""The clusters that an earlier scan has written, read again: which records are one client."""

from __future__ import annotations

import csv
from pathlib import Path

from crmkit_dedup.files.refusals import FileRefused


def read_clusters(path: Path) -> dict[str, str]:
    """Give record -> cluster of every record that is surely of it: band `auto`, or all where the file has no bands.

    Raises ConfigError for a file without `record_id` and `cluster_id`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            named = set(lines.fieldnames or ())
            if not {"record_id", "cluster_id"} <= named:
                raise FileRefused("no_clusters", path=str(path))
            return {
                _plain(line["record_id"]): _plain(line["cluster_id"])
                for line in lines
                if line.get("band", "auto") == "auto"
            }
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileRefused("clusters", path=str(path), why=str(error)) from error


def _plain(cell: str) -> str:
    """The id without the apostrophe that keeps it from being a formula."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@", "\t", "\r", "\n") else cell
