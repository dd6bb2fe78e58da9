"""`python -m bench.search_drawing`: docs/images/search.svg, from a requirement to a design."""

from pathlib import Path

from bench import drawing
from bench.drawing import MARGIN, WIDTH, Box, Canvas
from ernn.explore.search import VARIANTS, VERIFIED
from ernn.params.requirement import Requirement

PICTURE = Path("docs/images/search.svg")


def boxes() -> tuple[Box, ...]:
    """Steps of a search, each with where its figures come from."""
    trials = Requirement.model_fields["trials"].default
    return (
        Box("requirement", "errors, latency, frames\na second, energy,\ndevices", tells="yours"),
        Box("bounds", "every network with\nevery block size k: does\nit fit, what does it take", tells="estimates"),
        Box(
            "phase I",
            f"at most {trials} trials: bisect k,\nthen another cell, then\nmixed block sizes",
            tells="trained networks",
        ),
        Box(
            "phase II",
            f"up to {VARIANTS} integer networks,\nall accelerators of each,\ncycles of the best",
            tells="integers; estimates",
        ),
        Box(
            "verify",
            f"generate, simulate and\nsynthesize the best {VERIFIED},\nread the test split once",
            tells="simulation, synthesis",
        ),
        Box("page", "design, evidence, front;\nor what binds and the\nnearest design", tells="yes or no"),
    )


def svg() -> str:
    """The drawing."""
    canvas = Canvas("From a requirement to a design")
    places = drawing.chain(canvas, boxes(), 54, gap=30)
    trials = places[2]
    x, top = trials.x + trials.width, trials.y
    canvas.path((x - 30, top), (x - 30, top - 18), (x - 130, top - 18), (x - 130, top - 1))
    canvas.text(x - 80, top - 24, "next trial", "note", "middle")
    canvas.text(MARGIN, 30, "A step runs only on what the one before it left open.", "quiet")
    return canvas.svg(WIDTH)


def main() -> None:
    """Draw it."""
    PICTURE.write_text(svg())


if __name__ == "__main__":
    main()
