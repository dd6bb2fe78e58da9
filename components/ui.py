"""`make ui`: MLflow's pages over the published runs; links to their comparisons are in links.txt beside the receipt."""

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


def links(receipt: Path, base: str) -> dict[str, str]:
    """Addresses of the pages on the server at `base`: that of the experiment first, then comparisons.

    Raises:
        UserError: nothing was published.
    """
    note = artifacts.read_record(receipt, tracking.Receipt)
    if not note.published:
        cure = note.cure or "start that server, or unset MLFLOW_TRACKING_URI"
        raise UserError(f"nothing to show: {note.problem}; {cure}")
    compared = {"block sizes": note.block_runs, "accelerators": note.accelerator_runs}
    found = {"all runs": tracking.page(base, note.experiment_id)}
    return found | {
        text: tracking.comparison(base, note.experiment_id, list(runs.values()))
        for text, runs in compared.items()
        if runs
    }


def main(arguments: list[str] | None = None) -> None:
    """Print the link and become the server; with a server of one's own, only print it."""
    parser = Parser(prog="python -m components.ui", description="MLflow's pages over the published runs.")
    parser.add_argument("--receipt", type=Path, required=True, metavar="PATH", help="what `publish` has written")
    parser.add_argument("--port", type=whole(0, 65_535), default=0, help="of the server; 0 takes a free one")
    options = parser.parse_args(arguments)
    own = tracking.uri().startswith(("http://", "https://"))
    port = options.port or free_port()
    base = tracking.uri() if own else f"http://127.0.0.1:{port}"
    try:
        found = links(options.receipt, base)
    except UserError as error:
        print(f"ui: {error}", file=sys.stderr)
        sys.exit(2)
    listed = options.receipt.with_name("links.txt")
    with artifacts.atomic(listed) as temporary:
        temporary.write_text("".join(f"{text}: {link}\n" for text, link in found.items()))
    print("MLflow:", next(iter(found.values())))
    if len(found) > 1:
        print(f"Links that compare {' and '.join([*found][1:])}: {listed}")
    if not own:
        print("The page answers in a few seconds; Ctrl-C stops it.", flush=True)
        tracking.serve(port)


if __name__ == "__main__":
    main()
