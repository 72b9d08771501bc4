"""One thread's events in a trace that is being written: a method for each event of the format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from gotrace.spec.trace_events import (
    EVENT_BY_NAME,
    NONE,
    GoStatus,
    ProcStatus,
)
from gotrace.testing.world import Goroutine, Proc
from gotrace.wire.binary import uvarint

if TYPE_CHECKING:
    from gotrace.testing.trace_writer import TraceWriter

Frame = tuple[str, str, int] | tuple[str, str, int, int]
"""Function, file, line; its address too, where that matters."""

Stack = Sequence[Frame] | int | None
"""Leaf first; an int is a stack id as it is, None is no stack."""

Text = str | bytes | int
"""An int is a string id as it is."""

_ARGS: Final = {
    spec.name: tuple(
        kind if (kind := spec.arg_type(i)) in ("string", "stack") else None
        for i in range(1, len(spec.args))
    )
    for spec in EVENT_BY_NAME.values()
    if spec.is_timed
}
_MOST_EVENT_BYTES: Final = 64


class ThreadWriter:
    """Write the events of one thread; made by `TraceWriter.thread`.

    Each method writes one event at the trace's clock, which then moves on by `trace.tick`; first it
    writes the statuses that this generation still needs, as the runtime does. Nothing is checked:
    events in an impossible order make an impossible trace. `event` and `raw` write just what they
    are given.
    """

    def __init__(self, trace: TraceWriter, thread: int) -> None:
        self.id = thread
        self.goroutine: Goroutine | None = None
        self.proc: Proc | None = None
        self._trace = trace
        self._buffer = bytearray()
        self._batch_time = 0
        self._last_time = 0

    # --- bytes ------------------------------------------------------------------------------

    def event(self, name: str, *args: Text | Stack, at: int | None = None) -> None:
        """Write one event by its name, arguments after `dt` in the order of the spec.

        `at` is its time in ticks; the clock follows if that is later. A time before the thread's
        last event begins a new batch, since within one time cannot go back.
        """
        trace = self._trace
        kinds = _ARGS[name]
        if len(args) != len(kinds):
            raise ValueError(f"{name} has {len(kinds)} arguments after dt")
        numbers = [EVENT_BY_NAME[name].id, 0]
        for kind, value in zip(kinds, args, strict=True):
            if isinstance(value, int):
                numbers.append(value)
            elif kind == "string":
                numbers.append(trace.string(value))  # type: ignore[arg-type]
            else:
                numbers.append(trace.stack(value))  # type: ignore[arg-type]
        time = self._time(at)
        numbers[1] = time - self._last_time
        self._last_time = time
        if max(numbers) < 0x80:
            self._buffer += bytes(numbers)
        else:
            self._buffer.append(numbers[0])
            for number in numbers[1:]:
                self._buffer += uvarint(number)

    def raw(self, data: bytes) -> None:
        """Put bytes into the batch as they are; empty bytes still begin a batch."""
        self._time(None, len(data))
        self._buffer += data

    def flush(self) -> None:
        """End the batch, if one was begun."""
        if self._batch_time:
            self._trace.write_batch(self.id, self._batch_time, bytes(self._buffer))
            self._buffer.clear()
            self._batch_time = 0

    def _time(self, at: int | None, size: int = _MOST_EVENT_BYTES) -> int:
        """Take the time of an event, and have a batch with room for it."""
        trace = self._trace
        if not trace.is_open:
            raise ValueError("no generation is open: begin one with new_generation()")
        time = trace.clock if at is None else at
        trace.clock = max(trace.clock, time + trace.tick)
        if self._batch_time and (
            time < self._last_time or len(self._buffer) + size > trace.batch_bytes
        ):
            self.flush()
        if not self._batch_time:
            self._batch_time = self._last_time = max(time - 1, 1)
        return time

    # --- statuses ---------------------------------------------------------------------------

    def proc_status(self, proc: int, status: ProcStatus, at: int | None = None) -> None:
        """Say what a proc is doing; running or in a syscall, it is this thread's."""
        world = self._trace.world
        self.event("ProcStatus", proc, int(status), at=at)
        known = world.procs.setdefault(proc, Proc(proc, status))
        promoted = (
            status == ProcStatus.SYSCALL_ABANDONED
            and known.status == ProcStatus.SYSCALL
            and known.thread != NONE
        )
        if not promoted:
            known.status = status
        if status in (ProcStatus.RUNNING, ProcStatus.SYSCALL):
            self.proc = known
            known.thread = self.id
        world.announced(known, self._trace.generation)

    def go_status(
        self, goroutine: int, status: GoStatus, thread: int | None = None, at: int | None = None
    ) -> None:
        """Say what a goroutine is doing; a running one is this thread's."""
        self._go_status("GoStatus", goroutine, status, thread, (), at)

    def go_status_stack(
        self,
        goroutine: int,
        status: GoStatus,
        stack: Stack,
        thread: int | None = None,
        at: int | None = None,
    ) -> None:
        """Say what a goroutine is doing and where (Go 1.23)."""
        self._go_status("GoStatusStack", goroutine, status, thread, (stack,), at)

    def _go_status(
        self,
        name: str,
        goroutine: int,
        status: GoStatus,
        thread: int | None,
        stack: tuple[Stack, ...],
        at: int | None,
    ) -> None:
        world = self._trace.world
        executing = status in (GoStatus.RUNNING, GoStatus.SYSCALL)
        if thread is None:
            thread = self.id if executing else NONE
        self.event(name, goroutine, thread, int(status), *stack, at=at)
        known = world.goroutines.setdefault(goroutine, Goroutine(goroutine, status))
        known.status = status
        if executing:
            known.thread = thread
            if thread != NONE:
                self._trace.thread(thread).goroutine = known
        world.announced(known, self._trace.generation)

    def announce(self) -> None:
        """Write the statuses of this thread's proc and goroutine, if this generation lacks them."""
        generation = self._trace.generation
        if self.proc is not None and self.proc.generation != generation:
            self._announce_proc(self.proc)
        if self.goroutine is not None and self.goroutine.generation != generation:
            self._announce_goroutine(self.goroutine)
        world = self._trace.world
        if world.gc_running and world.gc_generation != generation and self.proc and self.goroutine:
            self.gc_active()

    def _announce_proc(self, proc: Proc, status: ProcStatus | None = None) -> None:
        self.proc_status(proc.id, proc.status if status is None else status)
        if proc.sweeping:
            self.event("GCSweepActive", proc.id)

    def _announce_goroutine(self, goroutine: Goroutine) -> None:
        executing = goroutine.status in (GoStatus.RUNNING, GoStatus.SYSCALL)
        self.go_status(goroutine.id, goroutine.status, goroutine.thread if executing else NONE)
        if goroutine.assisting:
            self.event("GCMarkAssistActive", goroutine.id)

    def _proc(self, proc: int, unseen: ProcStatus) -> Proc:
        """Return a proc, its status written in this generation; one never seen is `unseen`."""
        known = self._trace.world.procs.get(proc)
        if known is None:
            self.proc_status(proc, unseen)
            return self._trace.world.procs[proc]
        if known.generation != self._trace.generation:
            stolen = known.status == ProcStatus.SYSCALL and unseen == ProcStatus.SYSCALL_ABANDONED
            self._announce_proc(known, unseen if stolen else None)
        return known

    def _goroutine(self, goroutine: int, unseen: GoStatus) -> Goroutine:
        """Return a goroutine, its status written; one never seen is `unseen` (first generation)."""
        known = self._trace.world.goroutines.get(goroutine)
        if known is None:
            if not self._trace.is_first_generation:
                raise ValueError(f"goroutine {goroutine} was neither created nor announced")
            self.go_status(goroutine, unseen)
            return self._trace.world.goroutines[goroutine]
        if known.generation != self._trace.generation:
            self._announce_goroutine(known)
        return known

    # --- procs ------------------------------------------------------------------------------

    def proc_start(self, proc: int, at: int | None = None) -> None:
        """Take an idle proc."""
        known = self._proc(proc, ProcStatus.IDLE)
        self.event("ProcStart", proc, known.next_seq(), at=at)
        known.status, known.thread = ProcStatus.RUNNING, self.id
        self.proc = known

    def proc_stop(self, at: int | None = None) -> None:
        """Let go of this thread's proc."""
        self.announce()
        self.event("ProcStop", at=at)
        if self.proc is not None:
            self.proc.status, self.proc.thread = ProcStatus.IDLE, NONE
            self.proc = None

    def proc_steal(self, proc: int, at: int | None = None) -> None:
        """Take the proc away from a thread that is in a syscall, or from nobody."""
        self.announce()
        known = self._proc(proc, ProcStatus.SYSCALL_ABANDONED)
        self.event("ProcSteal", proc, known.next_seq(), known.thread, at=at)
        if known.thread != NONE:
            self._trace.thread(known.thread).proc = None
        known.status, known.thread = ProcStatus.IDLE, NONE

    def procs_change(self, procs: int, stack: Stack = None, at: int | None = None) -> None:
        """Change GOMAXPROCS."""
        self.announce()
        self.event("ProcsChange", procs, stack, at=at)

    # --- goroutines -------------------------------------------------------------------------

    def go_create(
        self, goroutine: int, start: Stack = None, stack: Stack = None, at: int | None = None
    ) -> None:
        """Create a runnable goroutine that will begin in `start`."""
        self._create("GoCreate", GoStatus.RUNNABLE, goroutine, (start, stack), at)

    def go_create_blocked(
        self, goroutine: int, start: Stack = None, stack: Stack = None, at: int | None = None
    ) -> None:
        """Create a goroutine that waits to be switched to (Go 1.23: iter.Pull)."""
        self._create("GoCreateBlocked", GoStatus.WAITING, goroutine, (start, stack), at)

    def go_create_syscall(self, goroutine: int, at: int | None = None) -> None:
        """Let a thread of C call into Go: it gets a goroutine, in a syscall."""
        self._create("GoCreateSyscall", GoStatus.SYSCALL, goroutine, (), at)
        self.goroutine = self._trace.world.goroutines[goroutine]
        self.goroutine.thread = self.id

    def _create(
        self,
        name: str,
        status: GoStatus,
        goroutine: int,
        stacks: tuple[Stack, ...],
        at: int | None,
    ) -> None:
        self.announce()
        self.event(name, goroutine, *stacks, at=at)
        created = Goroutine(goroutine, status, generation=self._trace.generation)
        self._trace.world.goroutines[goroutine] = created

    def go_start(self, goroutine: int, at: int | None = None) -> None:
        """Run a goroutine."""
        self.announce()
        known = self._goroutine(goroutine, GoStatus.RUNNABLE)
        self.event("GoStart", goroutine, known.next_seq(), at=at)
        self._run(known)

    def go_stop(
        self, reason: Text = "runtime.Gosched", stack: Stack = None, at: int | None = None
    ) -> None:
        """Stop the goroutine; it may run on."""
        self.announce()
        self.event("GoStop", reason, stack, at=at)
        self._leave(GoStatus.RUNNABLE)

    def go_block(self, reason: Text, stack: Stack = None, at: int | None = None) -> None:
        """Block the goroutine."""
        self.announce()
        self.event("GoBlock", reason, stack, at=at)
        self._leave(GoStatus.WAITING)

    def go_unblock(self, goroutine: int, stack: Stack = None, at: int | None = None) -> None:
        """Wake a goroutine."""
        self.announce()
        known = self._goroutine(goroutine, GoStatus.WAITING)
        self.event("GoUnblock", goroutine, known.next_seq(), stack, at=at)
        known.status = GoStatus.RUNNABLE

    def go_destroy(self, at: int | None = None) -> None:
        """End the goroutine."""
        self.announce()
        self.event("GoDestroy", at=at)
        self._leave(None)

    def go_syscall_begin(self, stack: Stack = None, at: int | None = None) -> None:
        """Enter a syscall."""
        self.announce()
        seq = self.proc.next_seq() if self.proc is not None else 0
        self.event("GoSyscallBegin", seq, stack, at=at)
        if self.proc is not None:
            self.proc.status = ProcStatus.SYSCALL
        if self.goroutine is not None:
            self.goroutine.status = GoStatus.SYSCALL

    def go_syscall_end(self, at: int | None = None) -> None:
        """Come back from a syscall, with the proc."""
        self.announce()
        self.event("GoSyscallEnd", at=at)
        if self.proc is not None:
            self.proc.status = ProcStatus.RUNNING
        if self.goroutine is not None:
            self.goroutine.status = GoStatus.RUNNING

    def go_syscall_end_blocked(self, at: int | None = None) -> None:
        """Come back from a syscall and find the proc gone."""
        self.announce()
        self.event("GoSyscallEndBlocked", at=at)
        self._leave(GoStatus.RUNNABLE)

    def go_destroy_syscall(self, at: int | None = None) -> None:
        """Let a call from C return there: its goroutine ends; a proc is left to be stolen."""
        self.announce()
        self.event("GoDestroySyscall", at=at)
        self._leave(None)
        if self.proc is not None:
            self.proc.status, self.proc.thread = ProcStatus.SYSCALL_ABANDONED, NONE
            self.proc = None

    def go_switch(self, goroutine: int, at: int | None = None) -> None:
        """Hand the thread to a waiting coroutine and wait (Go 1.23)."""
        self._switch("GoSwitch", GoStatus.WAITING, goroutine, at)

    def go_switch_destroy(self, goroutine: int, at: int | None = None) -> None:
        """Hand the thread to a waiting coroutine and end (Go 1.23)."""
        self._switch("GoSwitchDestroy", None, goroutine, at)

    def _switch(self, name: str, left: GoStatus | None, goroutine: int, at: int | None) -> None:
        self.announce()
        known = self._goroutine(goroutine, GoStatus.WAITING)
        self.event(name, goroutine, known.next_seq(), at=at)
        self._leave(left)
        self._run(known)

    def _run(self, goroutine: Goroutine) -> None:
        goroutine.status, goroutine.thread = GoStatus.RUNNING, self.id
        self.goroutine = goroutine

    def _leave(self, status: GoStatus | None) -> None:
        """Unbind the goroutine; None: it ends."""
        goroutine, self.goroutine = self.goroutine, None
        if goroutine is None:
            return
        goroutine.thread = NONE
        if status is None:
            del self._trace.world.goroutines[goroutine.id]
        else:
            goroutine.status = status

    # --- ranges of the runtime --------------------------------------------------------------

    def stw_begin(self, kind: Text, stack: Stack = None, at: int | None = None) -> None:
        """Stop the world."""
        self.announce()
        self.event("STWBegin", kind, stack, at=at)

    def stw_end(self, at: int | None = None) -> None:
        """Start the world."""
        self.announce()
        self.event("STWEnd", at=at)

    def gc_active(self, at: int | None = None) -> None:
        """Say that the collector marks; in each generation, as long as it does."""
        self._gc("GCActive", (), at, True)

    def gc_begin(self, stack: Stack = None, at: int | None = None) -> None:
        """Begin to mark."""
        self.announce()
        self._gc("GCBegin", (stack,), at, True)

    def gc_end(self, at: int | None = None) -> None:
        """Have marked all."""
        self.announce()
        self._gc("GCEnd", (), at, False)

    def _gc(self, name: str, stack: tuple[Stack, ...], at: int | None, running: bool) -> None:
        world = self._trace.world
        world.gc_seq += 1
        world.gc_running, world.gc_generation = running, self._trace.generation
        self.event(name, world.gc_seq, *stack, at=at)

    def gc_sweep_begin(self, stack: Stack = None, at: int | None = None) -> None:
        """Begin to sweep on this proc."""
        self.announce()
        self.event("GCSweepBegin", stack, at=at)
        if self.proc is not None:
            self.proc.sweeping = True

    def gc_sweep_end(self, swept: int = 0, reclaimed: int = 0, at: int | None = None) -> None:
        """Have swept so many bytes and given so many back."""
        self.announce()
        self.event("GCSweepEnd", swept, reclaimed, at=at)
        if self.proc is not None:
            self.proc.sweeping = False

    def gc_mark_assist_begin(self, stack: Stack = None, at: int | None = None) -> None:
        """Let the goroutine work for the collector."""
        self.announce()
        self.event("GCMarkAssistBegin", stack, at=at)
        if self.goroutine is not None:
            self.goroutine.assisting = True

    def gc_mark_assist_end(self, at: int | None = None) -> None:
        """Let the goroutine go on for itself."""
        self.announce()
        self.event("GCMarkAssistEnd", at=at)
        if self.goroutine is not None:
            self.goroutine.assisting = False

    def heap_alloc(self, live: int, at: int | None = None) -> None:
        """Say how many bytes the heap has."""
        self.announce()
        self.event("HeapAlloc", live, at=at)

    def heap_goal(self, goal: int, at: int | None = None) -> None:
        """Say at how many bytes the collector wants to be done."""
        self.announce()
        self.event("HeapGoal", goal, at=at)

    # --- what users say ---------------------------------------------------------------------

    def go_label(self, label: Text, at: int | None = None) -> None:
        """Say what a worker of the runtime is there for."""
        self.announce()
        self.event("GoLabel", label, at=at)

    def user_task_begin(
        self, task: int, name: Text, parent: int = 0, stack: Stack = None, at: int | None = None
    ) -> None:
        """Begin a task."""
        self.announce()
        self.event("UserTaskBegin", task, parent, name, stack, at=at)
        self._trace.world.tasks.add(task)

    def user_task_end(self, task: int, stack: Stack = None, at: int | None = None) -> None:
        """End a task."""
        self.announce()
        self.event("UserTaskEnd", task, stack, at=at)
        self._trace.world.tasks.discard(task)

    def user_region_begin(
        self, name: Text, task: int = 0, stack: Stack = None, at: int | None = None
    ) -> None:
        """Begin a region."""
        self.announce()
        self.event("UserRegionBegin", task, name, stack, at=at)

    def user_region_end(
        self, name: Text, task: int = 0, stack: Stack = None, at: int | None = None
    ) -> None:
        """End a region."""
        self.announce()
        self.event("UserRegionEnd", task, name, stack, at=at)

    def user_log(
        self,
        category: Text,
        message: Text,
        task: int = 0,
        stack: Stack = None,
        at: int | None = None,
    ) -> None:
        """Write a log message."""
        self.announce()
        self.event("UserLog", task, category, message, stack, at=at)

    # --- the alloc/free experiment (Go 1.23) ------------------------------------------------

    def span(self, op: str, span: int, pages: int = 0, kind: int = 0) -> None:
        """Say that a span of the heap exists, or its `alloc` or `free`."""
        self._experiment("Span", op, span, (pages, kind))

    def heap_object(self, op: str, address: int, type_id: int = 0) -> None:
        """Say that an object on the heap exists, or its `alloc` or `free`."""
        self._experiment("HeapObject", op, address, (type_id,))

    def goroutine_stack(self, op: str, stack: int, order: int = 0) -> None:
        """Say that a goroutine's stack exists, or its `alloc` or `free`."""
        self._experiment("GoroutineStack", op, stack, (order,))

    def _experiment(self, name: str, op: str, number: int, more: tuple[int, ...]) -> None:
        self.announce()
        suffix = {"exists": "", "alloc": "Alloc", "free": "Free"}[op]
        self.event(name + suffix, number, *(() if op == "free" else more))
