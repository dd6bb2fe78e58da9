"""`python -m components.finish --status JSON`: how a run of the cluster ended, in a line.

The last task of every run, whatever happened before. ERNN_WEBHOOK takes a POST of {"text": LINE}, as chat programs do.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

WEBHOOK = "ERNN_WEBHOOK"


def line(status: Mapping[str, Any]) -> str:
    """What a person wants to know of a PipelineTaskFinalStatus.

    >>> line({"state": "FAILED", "pipelineJobResourceName": "runs/7", "error": {"message": "compress: disk full"}})
    'runs/7 ended with FAILED: compress: disk full'
    """
    name = status.get("pipelineJobResourceName") or status.get("pipelineTaskName") or "the run"
    reason = (status.get("error") or {}).get("message", "")
    return f"{name} ended with {status.get('state', 'an unknown state')}" + (f": {reason}" if reason else "")


def main(arguments: list[str] | None = None) -> None:
    """Say it; a webhook that does not answer is a warning, and never fails a run."""
    parser = argparse.ArgumentParser(
        prog="python -m components.finish", description="How a run of the cluster ended, in a line."
    )
    parser.add_argument("--status", required=True, metavar="JSON", help="a PipelineTaskFinalStatus; required")
    given = parser.parse_args(arguments).status
    try:
        said = line(json.loads(given))
    except (ValueError, AttributeError):
        print(f"finish: --status is the JSON of a PipelineTaskFinalStatus, got {given[:80]}", file=sys.stderr)
        sys.exit(2)
    print(said)
    if url := os.environ.get(WEBHOOK):
        body, head = json.dumps({"text": said}).encode(), {"Content-Type": "application/json"}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, head), timeout=10):
                pass
        except (urllib.error.URLError, ValueError) as error:
            print(f"finish: {WEBHOOK} did not take it: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
