"""Random programs: any sequence of events that a Go program could make, by TraceWriter."""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random
from typing import Any

from gotrace.testing import GoStatus, ProcStatus, ThreadWriter, TraceWriter
from gotrace.testing.world import Goroutine

REASONS = ("chan receive", "select", "sync", "sleep", "network", "forever")
STACKS = [
    [(f"main.f{depth}{n}", "main.go", 10 * depth + n) for depth in range(n % 4, -1, -1)]
    for n in range(12)
]
FIRST_CGO = 1000


class Program:
    """A world of threads, procs and goroutines that takes one legal step at a time."""

    def __init__(
        self, trace: TraceWriter, random: Random, threads: int = 4, procs: int = 3
    ) -> None:
        self.trace = trace
        self.random = random
        self.threads = [trace.thread(100 + i) for i in range(threads)]
        self.next_goroutine = 2
        self.next_task = 1
        self.regions: dict[int, list[tuple[int, str]]] = {}
        first = self.threads[0]
        first.proc_status(0, ProcStatus.RUNNING)
        first.go_status(1, GoStatus.RUNNING)
        for proc in range(1, procs):
            trace.thread(2**64 - 1).proc_status(proc, ProcStatus.IDLE)

    def step(self) -> None:
        thread = self.random.choice(self.threads)
        steps = self._steps(thread)
        if steps:
            self.random.choice(steps)(thread)

    def _steps(self, thread: ThreadWriter) -> list[Callable[[ThreadWriter], None]]:
        goroutine = thread.goroutine
        steps: list[Callable[[ThreadWriter], None]] = []
        if self._all(GoStatus.WAITING):
            steps.append(self._unblock)
        if goroutine is not None and goroutine.status == GoStatus.SYSCALL:
            leaves = goroutine.id >= FIRST_CGO and not goroutine.assisting
            if leaves and (thread.proc is None or thread.proc.status == ProcStatus.SYSCALL):
                steps.append(self._return_to_c)
            if thread.proc is not None and thread.proc.status == ProcStatus.SYSCALL:
                return [*steps, ThreadWriter.go_syscall_end, self._self_steal]
            steps.append(ThreadWriter.go_syscall_end_blocked)
            if thread.proc is None:
                steps.append(self._start_proc)
            return steps
        if thread.proc is None:
            steps += [self._start_proc, self._steal, self._enter_from_c]
        elif goroutine is None:
            steps += [self._start, self._start, self._start, ThreadWriter.proc_stop, self._create]
            steps += [self._sweep, self._steal]
        else:
            steps += [self._create, self._start_trace_of_all, self._annotate, self._collect]
            steps += [self._block, self._stop, self._syscall, self._switch, self._steal, self._die]
        return steps

    # --- steps ----------------------------------------------------------------------------------

    def _stack(self):
        return self.random.choice([None, *STACKS])

    def _all(self, status: GoStatus) -> list[Goroutine]:
        return [g for g in self.trace.world.goroutines.values() if g.status == status]

    def _unblock(self, thread: ThreadWriter) -> None:
        if waiting := self._all(GoStatus.WAITING):
            thread.go_unblock(self.random.choice(waiting).id, self._stack())

    def _start_proc(self, thread: ThreadWriter) -> None:
        procs = self.trace.world.procs.values()
        if idle := [proc for proc in procs if proc.status == ProcStatus.IDLE]:
            thread.proc_start(self.random.choice(idle).id)

    def _steal(self, thread: ThreadWriter) -> None:
        for proc in self.trace.world.procs.values():
            stealable = ProcStatus.SYSCALL, ProcStatus.SYSCALL_ABANDONED
            if proc.status in stealable and proc.thread != thread.id:
                thread.proc_steal(proc.id)
                return

    def _self_steal(self, thread: ThreadWriter) -> None:
        assert thread.proc is not None
        thread.proc_steal(thread.proc.id)

    def _enter_from_c(self, thread: ThreadWriter) -> None:
        number = FIRST_CGO + self.random.randrange(3)
        if number not in self.trace.world.goroutines:
            thread.go_create_syscall(number)

    def _return_to_c(self, thread: ThreadWriter) -> None:
        assert thread.goroutine is not None
        self.regions.pop(thread.goroutine.id, None)
        thread.go_destroy_syscall()

    def _start(self, thread: ThreadWriter) -> None:
        if runnable := self._all(GoStatus.RUNNABLE):
            thread.go_start(self.random.choice(runnable).id)
            if self.random.random() < 0.1:
                thread.go_label("GC (idle)")

    def _create(self, thread: ThreadWriter) -> None:
        blocked = self.trace.minor >= 23 and self.random.random() < 0.3
        create = thread.go_create_blocked if blocked else thread.go_create
        create(self.next_goroutine, self._stack(), self._stack())
        self.next_goroutine += 1

    def _sweep(self, thread: ThreadWriter) -> None:
        assert thread.proc is not None
        if thread.proc.sweeping:
            thread.gc_sweep_end(self.random.randrange(10**6), 7)
        else:
            thread.gc_sweep_begin(self._stack())

    def _start_trace_of_all(self, thread: ThreadWriter) -> None:
        thread.stw_begin(self.random.choice(("start trace", "read mem stats")), self._stack())
        thread.procs_change(len(self.trace.world.procs), self._stack())
        thread.stw_end()

    def _annotate(self, thread: ThreadWriter) -> None:
        assert thread.goroutine is not None
        open_regions = self.regions.setdefault(thread.goroutine.id, [])
        tasks = sorted(self.trace.world.tasks)
        what = self.random.randrange(5)
        if what == 0:
            thread.user_task_begin(
                self.next_task, "job", self.random.choice([0, *tasks]), self._stack()
            )
            self.next_task += 1
        elif what == 1 and tasks:
            thread.user_task_end(self.random.choice(tasks), self._stack())
        elif what == 2:
            open_regions.append((self.random.choice([0, *tasks]), f"part {len(open_regions)}"))
            thread.user_region_begin(open_regions[-1][1], open_regions[-1][0], self._stack())
        elif what == 3 and open_regions:
            task, name = open_regions.pop()
            thread.user_region_end(name, task)
        else:
            thread.user_log("note", self.random.choice(["", "hello", "\u263a"]))
            thread.heap_alloc(self.random.randrange(2**40))

    def _collect(self, thread: ThreadWriter) -> None:
        assert thread.goroutine is not None
        if thread.goroutine.assisting:
            thread.gc_mark_assist_end()
        elif self.random.random() < 0.5:
            thread.gc_mark_assist_begin(self._stack())
        elif self.trace.world.gc_running:
            thread.gc_end()
        else:
            thread.gc_begin(self._stack())

    def _block(self, thread: ThreadWriter) -> None:
        thread.go_block(self.random.choice(REASONS), self._stack())

    def _stop(self, thread: ThreadWriter) -> None:
        thread.go_stop(self.random.choice(("preempted", "runtime.Gosched")), self._stack())

    def _syscall(self, thread: ThreadWriter) -> None:
        thread.go_syscall_begin(self._stack())

    def _switch(self, thread: ThreadWriter) -> None:
        waiting = self._all(GoStatus.WAITING)
        if self.trace.minor >= 23 and waiting:
            assert thread.goroutine is not None
            ends = self.random.random() < 0.3 and not thread.goroutine.assisting
            if ends:
                self.regions.pop(thread.goroutine.id, None)
            switch = thread.go_switch_destroy if ends else thread.go_switch
            switch(self.random.choice(waiting).id)

    def _die(self, thread: ThreadWriter) -> None:
        assert thread.goroutine is not None
        if not thread.goroutine.assisting:
            self.regions.pop(thread.goroutine.id, None)
            thread.go_destroy()


class RealisticProgram(Program):
    """One where nobody wakes who has blocked forever."""

    def __init__(self, *args: Any) -> None:
        self.forever: set[int] = set()
        super().__init__(*args)

    def _all(self, status: GoStatus) -> list[Goroutine]:
        return [each for each in super()._all(status) if each.id not in self.forever]

    def _block(self, thread: ThreadWriter) -> None:
        assert thread.goroutine is not None
        reason = self.random.choice(REASONS)
        if reason == "forever":
            self.forever.add(thread.goroutine.id)
        thread.go_block(reason, self._stack())


def random_trace(
    seed: int, minor: int, steps: int, program_of: type[Program] = Program, **options: int
) -> bytes:
    """The trace of a random program: a few generations, every event that the header may hold."""
    random = Random(seed)
    file = io.BytesIO()
    with TraceWriter(file, minor, **options) as trace:
        program = program_of(trace, random)
        for _ in range(steps):
            program.step()
            if random.random() < 0.02:
                trace.new_generation()
            if random.random() < 0.05:
                trace.cpu_sample(100, random.randrange(3), 1, random.choice(STACKS))
    return file.getvalue()
