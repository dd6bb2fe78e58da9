"""What may begin when: every task once, after what it reads, within the machine."""

from hypothesis import given
from hypothesis import strategies as st

from workflow.declaration import Declaration, Meta, Task
from workflow.schedule import Schedule


def task(name: str, reads: list[str], **meta) -> Task:
    """A task that reads the files of others and writes one of its own."""
    deps = tuple(f"file-{each}" for each in reads)
    return Task(name, "", "", {}, deps, (f"file-{name}",), (), (), Meta(image="train", **meta))


def declared(*tasks: Task) -> Declaration:
    return Declaration(tasks, {})


def names(line: list[Task]) -> list[str]:
    return [each.name for each in line]


@st.composite
def declarations(draw):
    """Up to nine tasks, each reading some of those before it."""
    count = draw(st.integers(1, 9))
    return declared(
        *(
            task(
                f"t{number}",
                sorted(
                    draw(st.sets(st.sampled_from([f"t{each}" for each in range(number)])) if number else st.just([]))
                ),
                memory=f"{draw(st.integers(1, 6))}G",
                gpu=draw(st.integers(0, 1)),
            )
            for number in range(count)
        )
    )


@given(declarations(), st.integers(1, 4), st.integers(1, 12), st.booleans(), st.data())
def test_every_task_runs_once_after_what_it_reads_within_the_machine(declaration, jobs, gigabytes, one_gpu, data):
    chosen = data.draw(st.sets(st.sampled_from([each.name for each in declaration.tasks]), min_size=1))
    schedule = Schedule(declaration, chosen, jobs, gigabytes * 1e9, one_gpu)
    written, running, begun = set(declaration.graph) - chosen, [], []
    while not schedule.done:
        while (line := schedule.next()) is not None:
            before = set(written)
            for each in line:
                assert declaration.graph[each.name] <= before
                before.add(each.name)
            begun += names(line)
            running.append(line)
        assert running, "nothing runs, nothing begins"
        assert len(running) <= jobs
        alone = len(running) == 1
        assert alone or sum(max(each.meta.memory_bytes for each in line) for line in running) <= gigabytes * 1e9
        assert alone or not one_gpu or sum(any(each.meta.gpu for each in line) for line in running) <= 1
        ended = running.pop(data.draw(st.integers(0, len(running) - 1)))
        schedule.end(ended)
        written |= set(names(ended))
    assert sorted(begun) == sorted(chosen)


def test_tasks_that_wait_only_for_each_other_are_one_line_and_the_end_of_the_chain_comes_first():
    forked = declared(
        task("prepare", []),
        task("train-a", ["prepare"]),
        task("train-b", ["prepare"]),
        task("quantize-a", ["train-a"]),
        task("report", ["quantize-a", "train-b"]),
    )
    schedule = Schedule(forked, forked.graph, 2, 1e12, False)
    first = schedule.next()
    assert (names(first), schedule.next()) == (["prepare"], None)
    schedule.end(first)
    lines = [schedule.next(), schedule.next()]
    assert [names(line) for line in lines] == [["train-b"], ["train-a", "quantize-a"]]
    schedule.end(lines[0])
    assert schedule.next() is None
    schedule.end(lines[1])
    assert names(schedule.next()) == ["report"]
