"""The driver: a Python file that runs on the board by itself."""

from importlib import resources

NAME = "ernn_driver.py"


def source() -> str:
    """Text of the driver; it is the same for every accelerator."""
    return (resources.files("ernn.hw.board.driver") / NAME).read_text()
