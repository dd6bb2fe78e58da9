"""`make ui`: MLflow's pages over the published runs, and links to those that compare block sizes."""

import socket
import sys
from pathlib import Path

from components import tracking
from ernn import artifacts
from ernn.arguments import Parser, whole
from ernn.errors import UserError


def free_port() -> int:
    """A port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def links(receipt: Path, base: str) -> tuple[str, str]:
    """The comparisons of networks and of accelerators on the server at `base`; empty where there are none.

    Raises:
        UserError: nothing was published.
    """
    note = artifacts.read_record(receipt, tracking.Receipt)
    if not note.published:
        cure = note.cure or "start that server, or unset MLFLOW_TRACKING_URI"
        raise UserError(f"nothing to show: {note.problem}; {cure}")
    networks, accelerators = (
        tracking.comparison(base, note.experiment_id, list(runs.values())) if runs else ""
        for runs in (note.runs, note.accelerator_runs)
    )
    return networks, accelerators


def main(arguments: list[str] | None = None) -> None:
    """Print the links and become the server; with a server of one's own, only print them."""
    parser = Parser(prog="python -m components.ui", description="MLflow's pages over the published runs.")
    parser.add_argument("--receipt", type=Path, required=True, metavar="PATH", help="what `publish` has written")
    parser.add_argument("--port", type=whole(0, 65_535), default=0, help="of the server; 0 takes a free one")
    options = parser.parse_args(arguments)
    own = tracking.uri().startswith(("http://", "https://"))
    port = options.port or free_port()
    base = tracking.uri() if own else f"http://127.0.0.1:{port}"
    try:
        networks, accelerators = links(options.receipt, base)
    except UserError as error:
        print(f"ui: {error}", file=sys.stderr)
        sys.exit(2)
    for text, link in (("block sizes", networks), ("accelerators", accelerators)):
        if link:
            print(f"Compare the {text}:", link)
    if not own:
        print("The page answers in a few seconds; Ctrl-C stops it.", flush=True)
        tracking.serve(port)


if __name__ == "__main__":
    main()
