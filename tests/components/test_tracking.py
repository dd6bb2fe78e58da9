"""MLflow's database on a full disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import full

ROOT = Path(__file__).parents[2]
PUBLISH = """
import sys
from pathlib import Path
from components import tracking
from ernn.errors import UserError
folder = Path(sys.argv[1])
curve = [(epoch, {"x": 1.0}) for epoch in range(50)]
runs = (tracking.Run(f"r{n}", f"print{n}", {}, {"a": 1.0}, {"per": 1.0}, curve, {"t.json": {"a": [1.0]}}, folder)
        for n in range(2))
try:
    print(*tracking.publish("speech", runs).runs)
except UserError as error:
    sys.exit(str(error))
"""


def publish(folder: Path, files: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    command = [sys.executable, "-c", PUBLISH, str(files)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("left", [20_000, 400_000, 1_100_000])  # the first table, one of the last, the runs
def test_a_full_disk_is_one_line_and_the_next_try_publishes_everything(tmp_path, left):
    (files := tmp_path / "files").mkdir()
    (files / "model").write_bytes(bytes(300_000))
    with full.small_disk(tmp_path / "disk", 16 << 20) as folder:
        ballast = full.fill(folder, left)
        first = publish(folder, files)
        assert first.returncode
        said = [line for line in first.stderr.splitlines() if " INFO " not in line]
        assert len(said) == 1
        assert said[0].startswith(f"{folder}/mlflow.db: no space left on device to write it (")
        ballast.unlink()
        second = publish(folder, files)
        assert second.stdout == "r0 r1\n", second.stderr
