"""How a process finds its place under torchrun; what groups compute is tested with the loop."""

import pytest
import torch
import torch.distributed as dist

from ernn.training.distributed import Group


def test_one_process_is_a_group_by_itself(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert Group.join(torch.device("cuda")) == Group()  # nothing of CUDA is asked for


@pytest.mark.parametrize(("device", "wanted"), [("cuda", [("device", 3), "nccl"]), ("cpu", ["gloo"])])
def test_each_process_has_a_gpu_of_its_own_before_they_meet(monkeypatch, device, wanted):
    seen: list[object] = []
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_RANK", "3")
    monkeypatch.setattr(torch.cuda, "set_device", lambda number: seen.append(("device", number)))
    monkeypatch.setattr(dist, "init_process_group", seen.append)
    monkeypatch.setattr(dist, "is_initialized", lambda: False)
    monkeypatch.setattr(dist, "get_rank", lambda: 7)
    assert Group.join(torch.device(device)) == Group(7, 8)
    assert seen == wanted
