"""`gotrace merge`: profiles by the thousand as one, or as one for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gotrace.cli.many import Many, counted
from gotrace.cli.output import FORMATS, write_rows
from gotrace.cli.paths import expanded, folder_of
from gotrace.cli.stack_input import Question, answering, filter_options
from gotrace.cli.terminal import Failure, say

if TYPE_CHECKING:
    from gotrace.analyses.merge_groups import GroupBy, Merged
    from gotrace.analyses.profile_columns import ProfileColumns


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "-o",
    "path",
    metavar="OUT",
    help="A profile (.pb.gz, .pb, .pb.zst), or with --group-by a new folder of them.",
)
@click.option(
    "--level",
    type=click.Choice(["exact", "function"]),
    default="exact",
    show_default=True,
    help="What makes stacks one: all of it, or the functions alone, so that builds join.",
)
@click.option(
    "--group-by",
    "group_by",
    metavar="BY",
    multiple=True,
    help="label:KEY, time:1h (s, m, h, d), path:-2 (a folder of the path), or path:REGEX. "
    "Repeatable.",
)
@click.option(
    "--delta",
    is_flag=True,
    help="The files of a folder are snapshots of one process: sum what its counters grew by.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Files read at once.  [default: one a core]",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="Of the summary.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT.")
@filter_options
def merge(
    files: tuple[str, ...],
    path: str | None,
    level: str,
    group_by: tuple[str, ...],
    delta: bool,
    threads: int | None,
    form: str,
    overwrite: bool,
    question: Question,
    on_error: str,
) -> int:
    r"""Add up many profiles, and say what they hold.

    FILE may be a folder or a pattern in quotes. Memory is that of the distinct stacks, however many
    files there are; their order changes nothing. Values of one type are added in the finest unit;
    what only some profiles measure is kept.

    \b
    gotrace merge 'archive/**/cpu*.pb.gz' -o cpu.pb.gz
    gotrace merge archive --group-by path:-2 --group-by time:1h -o merged/
    gotrace merge archive --level function --taghide . -o functions.pb.gz
    gotrace merge 'heap/*.pb.gz' --delta -o allocated.pb.gz
    """
    from gotrace.analyses.merge_groups import GroupBy
    from gotrace.cli.merge_output import check_output, summary_lines, summary_table, write_groups

    try:
        by = [GroupBy.of(text) for text in group_by]
    except ValueError as error:
        raise click.UsageError(f"--group-by: {error}") from None
    check_output(path, bool(by))
    adding = _Adding(files, question, on_error, threads)
    groups = adding.delta(by, level) if delta else adding.merge(by, level)
    written = write_groups(groups, by, path, overwrite=overwrite) if path else None
    if form == "text":
        click.echo("\n".join(summary_lines(groups, by, group_by, path, written, adding.words)))
    else:
        table = summary_table(groups, written)
        write_rows(table.to_batches(), table.schema, form, None)
    if not any(len(group.profile.labels) for group in groups):
        say("nothing is left: no sample has a value that is not 0")
    return adding.code


class _Adding:
    """The files of a merge, and what happened to them."""

    def __init__(
        self, files: tuple[str, ...], question: Question, on_error: str, threads: int | None
    ) -> None:
        from gotrace.cli.inputs import check_once

        self._files = expanded(files)
        check_once(self._files)
        self._question, self._on_error, self._threads = question, on_error, threads
        self.words = files
        self.code = 0

    def merge(self, by: list[GroupBy], level: Any) -> list[Merged]:
        """Add all files up, in the order given: it makes no difference."""
        from gotrace.analyses.merge_groups import Groups

        groups = Groups(by, level)
        many = Many(self._files, self._read, self._threads)
        with counted(self._files) as done:
            for file, profiles in many:
                try:
                    with answering(file):
                        for profile in profiles:
                            groups.add(profile, file)
                except Exception as error:
                    many.fail(error)
                done()
        self.code = many.code
        with answering():
            return list(groups.results())

    def delta(self, by: list[GroupBy], level: Any) -> list[Merged]:
        """Add up what counters grew by: each folder's files in order of their time."""
        from gotrace.analyses.merge_groups import Groups

        first = Many(self._files, self._times, self._threads)
        order = sorted(
            (folder_of(file), time or 0, file, place)
            for file, times in first
            for place, time in enumerate(times)
        )
        groups = Groups(by, level, growth=True)
        many = Many(order, lambda item: self._read(item[2])[item[3]], self._threads)
        with counted(order) as done:
            for (folder, _, file, _), profile in many:
                try:
                    with answering(file):
                        groups.add(profile, file, folder)
                except Exception as error:
                    many.fail(error)
                done()
        self.code = first.code or many.code
        with answering():
            return list(groups.results())

    def _read(self, file: str) -> list[ProfileColumns]:
        from gotrace.analyses.profile_columns import each_profile
        from gotrace.cli.profile_output import filtered

        source = self._open(file)
        with answering(file):
            profiles = list(each_profile(source))
            self._check(source, profiles)
            if not self._question.given_filters:
                return profiles
            return [filtered(profile, self._question) for profile in profiles]

    def _times(self, file: str) -> list[int | None]:
        source = self._open(file)
        times = [row["time"] for row in source.info().profiles]
        self._check(source, times)
        return times

    def _open(self, file: str) -> Any:
        from gotrace.cli.inputs import open_input

        source = open_input(file, self._on_error)
        if source.kind != "profile":
            raise Failure(f"{source.name}: merge adds up profiles, and this is a {source.kind}")
        return source

    def _check(self, source: Any, found: list[Any]) -> None:
        """Refuse a file of which damage left nothing; tell what is damaged in part."""
        from gotrace.cli.inputs import first_fault, is_damaged

        if is_damaged(source):
            if not found:
                raise Failure(f"{source.name}: nothing can be read of it: {first_fault(source)}")
            say(f"{source.name}: damaged: {first_fault(source)}; the rest was read")
