"""What the verbs over stacks share: which values, which filters, and the stacks of the inputs.

A verb asks for columns of stacks and does not care what they come from; `_READERS` has one
function for each kind of source.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from gotrace.cli.inputs import (
    check_once,
    first_fault,
    is_damaged,
    on_error_option,
    open_input,
    report_damage,
)
from gotrace.cli.options import compat_option
from gotrace.cli.parts import PARTS, option_of, part_options
from gotrace.cli.terminal import Failure

if TYPE_CHECKING:
    from gotrace.analyses.filters import Filters
    from gotrace.analyses.profile_columns import ProfileColumns
    from gotrace.tables.profile import Profile
    from gotrace.tables.trace import Trace

Command = TypeVar("Command", bound=Callable[..., Any])

GRANULARITIES: Final = ("functions", "filefunctions", "files", "lines", "addresses")

_READERS: Final[Mapping[str, str]] = {
    "profile": "gotrace.cli.profile_input",
    "trace": "gotrace.cli.trace_input",
}
"""By kind of source: the module whose `stacks(source, question)` gives its columns."""

_FILTERS: Final = (
    ("focus", "REGEX", "Only stacks with a matching function, file or mapping."),
    ("ignore", "REGEX", "No stacks with a match."),
    ("hide", "REGEX", "Leave matching frames out."),
    ("show", "REGEX", "Leave all other frames out."),
    ("show-from", "REGEX", "Leave out what is above the highest match."),
    ("prune-from", "REGEX", "Leave out what is below a match, and the match's callees."),
    ("tagfocus", "TAG", "Only samples with a label: regex, key=regex, or a range: 1kb:4mb."),
    ("tagignore", "TAG", "No samples with such a label."),
    ("tagshow", "REGEX", "Keep labels with a matching key."),
    ("taghide", "REGEX", "Leave labels with a matching key out."),
    ("tagroot", "KEYS", "Labels that become frames at the root; commas between."),
    ("tagleaf", "KEYS", "Labels that become frames at the leaf."),
)


@dataclass(frozen=True)
class Question:
    """What of the stacks is wanted.

    Attributes:
        by: value type, or what to weigh stacks by; None for the source's own choice.
        unit: unit of printed values.
        granularity, inlines, compat: as the analyses take them.
        given_filters: values of the filters that were given.
        where: which part of a trace was asked for, as `trace_profile` takes it.
    """

    by: str | None
    unit: str
    granularity: str
    inlines: bool
    compat: str | None
    given_filters: Mapping[str, Any]
    where: Mapping[str, Any] = field(default_factory=dict)

    @property
    def filters(self) -> Filters:
        """The filters, for an analysis."""
        from gotrace.analyses.filters import Filters

        return Filters(**self.given_filters)

    @property
    def label_unit(self) -> str:
        """Unit that numbers of labels are written in."""
        return "minimum" if self.unit == "auto" else self.unit

    @property
    def choices(self) -> dict[str, Any]:
        """What makes frames one and what is left of the stacks, as arguments of the analyses."""
        return {
            "granularity": self.granularity,
            "inlines": self.inlines,
            "filters": self.filters,
            "unit": self.label_unit,
        }

    def filter_words(self) -> list[str]:
        """Give the filters as they are given on the command line."""
        return [f"--{name.replace('_', '-')}" for name in self.given_filters]


def stack_options(command: Command) -> Command:
    """Add what every verb over stacks takes; the verb gets it as `question`."""
    options: list[Callable[[Any], Any]] = [
        click.option(
            *("--by", "--sample-index", "--sample_index", "by"),
            metavar="TYPE",
            help="Value type of a profile, by name or number  [default: its own]; of a trace wall, "
            "cpu, offcpu, net, sync, syscall, sched or wakeup  [default: wall].",
        ),
        click.option("--unit", default="auto", help="Unit of values: ms, MB, …  [default: auto]"),
        *_trace_options(),
        click.option(
            "--granularity",
            type=click.Choice(GRANULARITIES),
            default="functions",
            show_default=True,
            metavar="WORD",
            help=f"What makes frames one: {', '.join(GRANULARITIES)}.",
        ),
        click.option("--noinlines", is_flag=True, help="Count inlined calls to their callers."),
        compat_option(),
    ]
    command = filter_options(command)
    for option in reversed(options):
        command = option(command)
    return command


def filter_options(command: Command) -> Command:
    """Add the filters of google/pprof and what to do at damage; the verb gets a `question`."""

    @functools.wraps(command)
    def asked(**given: Any) -> Any:
        filters = {
            name.replace("-", "_"): given.pop(name.replace("-", "_")) for name, *_ in _FILTERS
        }
        filters["all_frames"] = given.pop("all_frames")
        where = {name: given.pop(name, None) for name in _WHERE}
        question = Question(
            by=given.pop("by", None),
            unit=given.pop("unit", "auto"),
            granularity=given.pop("granularity", "functions"),
            inlines=not given.pop("noinlines", False),
            compat=given.pop("compat", None),
            given_filters={name: value for name, value in filters.items() if value},
            where={name: value for name, value in where.items() if value},
        )
        return command(question=question, **given)

    options: list[Callable[[Any], Any]] = [
        *(_filter_option(*row) for row in _FILTERS),
        click.option("--all-frames", is_flag=True, help="Keep frames that the profile drops."),
        on_error_option,
    ]
    for option in reversed(options):
        asked = option(asked)
    return asked  # type: ignore[return-value]


_WHERE: Final = (*PARTS, "creators")


def _trace_options() -> list[Callable[[Any], Any]]:
    """Give the options that choose a part of a trace; the names are those of `_WHERE`."""
    text = "Of a trace: put the go statement's stack above."
    return [*part_options("of a trace: "), click.option("--creators", is_flag=True, help=text)]


def _filter_option(name: str, metavar: str, text: str) -> Callable[[Command], Command]:
    spellings = dict.fromkeys((f"--{name}", f"--{name.replace('-', '_')}"))
    return click.option(*spellings, name.replace("-", "_"), metavar=metavar, help=text)


@dataclass
class Stacks:
    """The stacks of all inputs as one.

    Attributes:
        columns: of the samples, every value type.
        name: what the inputs are called: the first, and how many more.
        files: as they were given.
        code: exit code that damage of inputs asks for.
    """

    columns: ProfileColumns
    name: str
    files: Sequence[str]
    code: int


def read_stacks(files: Sequence[str], question: Question, on_error: str) -> Stacks:
    """Read the stacks of all inputs, added up; of many, those that can be read.

    Raises `Failure` when none can.
    """
    from gotrace.cli.many import Many
    from gotrace.cli.paths import expanded

    def read(file: str) -> tuple[Trace | Profile, ProfileColumns]:
        source = open_input(file, on_error)
        return source, _stacks_of(source, question)

    files = expanded(files)
    check_once(files)
    many = Many(files, read)
    sources, found = zip(*(given for _, given in many), strict=True)
    with answering():
        columns = found[0] if len(found) == 1 else _added(found)
    code = report_damage(sources)
    more = f" and {len(sources) - 1:,} more" if len(sources) > 1 else ""
    return Stacks(columns, f"{sources[0].name}{more}", files, many.code or code)


def _stacks_of(source: Trace | Profile, question: Question) -> ProfileColumns:
    if source.kind not in _READERS:
        raise Failure(f"{source.name}: this verb does not read a {source.kind}")
    if question.where and source.kind != "trace":
        raise Failure(f"{source.name}: a {source.kind}; {_asked(question)} is of traces alone")
    columns: ProfileColumns = import_module(_READERS[source.kind]).stacks(source, question)
    if _is_nothing(columns) and is_damaged(source):
        raise Failure(f"{source.name}: nothing can be read of it: {first_fault(source)}")
    return columns


def _is_nothing(columns: ProfileColumns) -> bool:
    """Say whether a profile has no types, or a trace no time."""
    of_trace = "views" in columns.facts and not columns.facts.get("duration_ns")
    return not columns.types or (of_trace and not len(columns.labels))


def _asked(question: Question) -> str:
    """Name an option of traces that was given."""
    return option_of(next(iter(question.where)))


def _added(found: Sequence[ProfileColumns]) -> ProfileColumns:
    from gotrace.analyses.merge import merge

    return merge(found, "exact")


@contextlib.contextmanager
def answering(name: str = "") -> Iterator[None]:
    """Turn what an analysis says of a bad question, or input, into a message: no bug of gotrace."""
    from gotrace.errors import GotraceError

    try:
        yield
    except (ValueError, OverflowError) as error:
        if isinstance(error, GotraceError):
            raise
        raise Failure(f"{name}: {error}" if name else str(error)) from error


def files_and_pattern(words: Sequence[str]) -> tuple[list[str], str]:
    """Tell files from the regular expression behind them; before them is taken too."""
    import os

    if len(words) < 2:
        raise click.UsageError("give the files, then a regular expression for functions")
    if os.path.exists(words[-1]) and not os.path.exists(words[0]):
        return list(words[1:]), words[0]
    return list(words[:-1]), words[-1]
