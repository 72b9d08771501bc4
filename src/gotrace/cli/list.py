"""`gotrace list`: the lines of some functions, and what each costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.output import Output, output_options
from gotrace.cli.source_code import SourceCode
from gotrace.cli.stack_input import (
    Question,
    Stacks,
    answering,
    files_and_pattern,
    read_stacks,
    stack_options,
)
from gotrace.cli.stack_text import (
    Style,
    Values,
    again,
    exactly,
    exit_code,
    heading,
    next_lines,
    values_of,
)
from gotrace.cli.terminal import clean, count, fit, say

if TYPE_CHECKING:
    import pyarrow as pa

    from gotrace.analyses.call_graph import Graph

_CONTEXT = 3
_FUNCTIONS = 10

Row = dict[str, Any]
Texts = list["str | None"]


@click.command()
@click.argument("words", metavar="FILE... REGEX", nargs=-1, required=True)
@click.option(
    "--source-dir",
    "folders",
    metavar="DIR",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    help="Where the source is: a checkout, GOROOT/src, GOMODCACHE. Repeatable.  [default: where "
    "the profile says]",
)
@output_options
@stack_options
def list(
    words: tuple[str, ...],
    folders: tuple[str, ...],
    question: Question,
    out: Output,
    on_error: str,
) -> int:
    r"""Show the source of the functions that match REGEX, with what each line costs.

    flat is spent in the line itself, cum with what it calls; the numbers of a line are those of
    `go tool pprof -list`. A function whose source is not found has its lines without text. In
    formats for machines: the table `source_lines`.

    \b
    gotrace list cpu.pb.gz 'json.*Decode' --source-dir ~/go/pkg/mod --source-dir .
    """
    from gotrace.analyses.source_lines import source_lines

    files, pattern = files_and_pattern(words)
    stacks = read_stacks(files, question, on_error)
    lines, functions = _graphs(stacks, question)
    with answering():
        table = source_lines(lines, pattern)
    listed = _Listed(stacks, table, SourceCode(folders))
    table = table if out.form == "text" else listed.table()
    out.write(table, _page(listed, question, functions, folders, Style(out.path)))
    if not table.num_rows and len(lines.nodes):
        of = count(len(functions.nodes), "function")
        say(f"nothing to show: {pattern!r} matches none of {of}")
        return stacks.code
    return exit_code(stacks, question, table.num_rows, lines.samples)


def _graphs(stacks: Stacks, question: Question) -> tuple[Graph, Graph]:
    """Make the graph of lines, and that of functions: a stack counts once in each."""
    from gotrace.analyses.call_graph import call_graph

    with answering():
        lines, functions = (
            call_graph(
                stacks.columns,
                question.by,
                **{**question.choices, "granularity": granularity},
                compat=question.compat,
            )
            for granularity in ("lines", "functions")
        )
    return lines, functions


class _Listed:
    """The rows of the table, function by function and file by file, with their source."""

    def __init__(self, stacks: Stacks, table: pa.Table, code: SourceCode) -> None:
        self.stacks, self._table, self._code = stacks, table, code
        from gotrace.analyses.frames import clean_path

        columns = stacks.columns
        keys = zip(columns.function_names, map(clean_path, columns.function_files), strict=True)
        self._starts = dict(zip(keys, columns.function_starts.tolist(), strict=True))

    def groups(self) -> Iterator[tuple[str, str, int, Sequence[Row], Sequence[str] | None]]:
        """Give function, file, first line (0 for unknown), rows, and the lines of the file."""
        rows = self._table.to_pylist()
        for (function, file), group in groupby(
            rows, key=lambda r: (r["function"], r["file"] or "")
        ):
            found = [*group]
            start = self._starts.get((function, file), 0)
            last = max((row["line"] or 0 for row in found), default=0)
            yield function, file, start, found, self._code.lines(file, function, start, last)

    def table(self) -> pa.Table:
        """Give the table with the text of each line that was found."""
        import pyarrow as pa

        texts: Texts = []
        for _, _, _, rows, lines in self.groups():
            texts += [lines[row["line"] - 1] if lines and row["line"] else None for row in rows]
        place = self._table.schema.get_field_index("source")
        return self._table.set_column(
            place, self._table.schema.field(place), pa.array(texts, pa.utf8())
        )


def _page(
    listed: _Listed, question: Question, functions: Graph, folders: Sequence[str], style: Style
) -> Iterator[str]:
    stacks = listed.stacks
    yield from heading(stacks, question, style)
    groups = sorted(listed.groups(), key=lambda group: -max(abs(row["cum"]) for row in group[3]))
    values = values_of(stacks.columns, question, functions.total)
    named = {functions.of.functions[node]: int(node) for node in functions.nodes}
    for function, file, start, rows, lines in groups[:_FUNCTIONS]:
        yield ""
        yield from _head(function, file, named, functions, values, style)
        yield from _function(rows, start, lines, values, style)
    if len(groups) > _FUNCTIONS:
        yield style.dim(
            f"… and {count(len(groups) - _FUNCTIONS, 'function')} more: a narrower REGEX"
        )
    if not groups:
        return
    yield ""
    commands = [f"peek {again(stacks, question)} {exactly(groups[0][0])}"]
    if any(lines is None for *_, lines in groups):
        where = " ".join(f"--source-dir {clean(folder)}" for folder in (*folders, "DIR"))
        commands.insert(0, f"list {again(stacks, question)} {exactly(groups[0][0])} {where}")
    yield from next_lines(commands, style)


def _head(
    function: str, file: str, named: dict[str, int], graph: Graph, values: Values, style: Style
) -> Iterator[str]:
    yield style.name(function, style.width)
    node = named.get(function)
    if node is not None:
        flat, cum = int(graph.flat[node]), int(graph.cum[node])
        yield fit(
            f"  flat {values.own(flat)} ({values.share(flat)}), cum {values.own(cum)} "
            f"({values.share(cum)})  {clean(file)}",
            style.width,
        )


def _function(
    rows: Sequence[Row], start: int, lines: Sequence[str] | None, values: Values, style: Style
) -> Iterator[str]:
    of_line = {row["line"] or 0: row for row in rows}
    wide = max(4, *(len(values.value(row[of])) for row in rows for of in ("flat", "cum")))
    digits = len(str(max(of_line)))
    before = 0
    for number in _numbers(of_line, start, lines):
        if before and number > before + 1 and lines is not None:
            yield style.dim(f"{'':>{2 * wide + 4}}{'⋮':>{digits}}")
        before = number
        row = of_line.get(number)
        flat, cum = (values.value(row[of]) if row and row[of] else "" for of in ("flat", "cum"))
        text = clean(lines[number - 1]) if lines is not None and number else ""
        room = style.width - 2 * wide - digits - 8
        part = values.part(row["flat"]) if row else 0.0
        numbers = f"{style.heat(f'{flat:>{wide}}', part)}  {cum:>{wide}}"
        yield f"{numbers}  {style.dim(f'{number:>{digits}}')}  {fit(text, max(room, 1))}".rstrip()


def _numbers(of_line: dict[int, Row], start: int, lines: Sequence[str] | None) -> Sequence[int]:
    """Choose the lines to show: those with values, and with source some around them."""
    if lines is None:
        return sorted(of_line)
    shown = {start} if start else set()
    for number in of_line:
        shown.update(range(number - _CONTEXT, number + _CONTEXT + 1))
    least = start or 1
    return sorted(number for number in shown if least <= number <= len(lines))
