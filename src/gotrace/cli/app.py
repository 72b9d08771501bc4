"""The registry of verbs, and the one place where errors become messages and exit codes.

Exit codes: 0 fine, 1 a finding (`check` only), 2 bad usage or nothing readable, 3 partial, 130
interrupted. A verb returns its code; everything that it raises ends here.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import click

from gotrace.cli import INTERRUPTED
from gotrace.cli.interrupts import interruptible
from gotrace.cli.terminal import OK, Failure, Interrupted, clean_lines, say

VERBS: Final = (
    *("info", "convert", "events"),
    *("flame", "top", "tree", "peek", "list", "traces", "tags", "diff", "merge"),
    *("goroutines", "blocking", "sched", "gc", "tasks", "regions"),
    *("pprof", "sql", "schema"),
)
"""Every verb is the module and the command of that name."""


class Verbs(click.Group):
    """The group `gotrace`: imports a verb when it is named, and turns errors into exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the verbs in the order of use, not of the alphabet."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb's module and return its command."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(import_module(f"gotrace.cli.{cmd_name}"), cmd_name)
        # click's mark of a paragraph that keeps its lines; docstrings are raw and hold it as text.
        command.help = (command.help or "").replace("\\b\n", "\b\n")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; for a file in its place say which verbs take one."""
        name = args[0]
        if name not in VERBS and not name.startswith("-") and os.path.exists(name):
            raise click.UsageError(
                f"{name!r} is a file; which verb? `gotrace info {name}` says what it is", ctx
            )
        return super().resolve_command(ctx, args)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the group's own options, `--help` among them."""
        with _errors_told():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; leave with its exit code."""
        with _errors_told():
            code = super().invoke(ctx)
            sys.stdout.flush()
        ctx.exit(code if isinstance(code, int) else OK)


@contextlib.contextmanager
def _errors_told() -> Iterator[None]:
    """Turn every exception into one that click prints and exits with."""
    try:
        yield
    except (click.exceptions.Exit, click.ClickException, click.Abort):
        raise
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None
    except Exception as error:
        if _is_closed_pipe(error):
            _discard_output()
            raise click.exceptions.Exit(OK) from None
        raise _failure(error) from error


def version(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
    """Print the versions that decide about output bytes, and what can be read."""
    if not asked or ctx.resilient_parsing:
        return
    from importlib.metadata import version as version_of

    from gotrace import SCHEMA_VERSION, __version__

    click.echo(f"gotrace {__version__}")
    click.echo(f"schema {SCHEMA_VERSION}")
    click.echo(f"pyarrow {version_of('pyarrow')}")
    click.echo("reads execution traces of Go 1.22 to 1.27")
    ctx.exit(OK)


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine, 2 bad usage or nothing readable, 3 partial (damage was salvaged, "
    "or some of many inputs failed), 130 interrupted.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=version,
    help="Print the versions of gotrace, its schema and pyarrow, and the Go versions it reads.",
)
def cli() -> None:
    """Turn execution traces and profiles of Go programs into tables, and look into them.

    FILE is a path, a URL (http, s3, gs, az) or - for standard input; plain, gzip or zstd. Times are
    seconds from the start of the trace.
    """


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code, whatever happens."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # UTF-8 and bare newlines, whatever the locale says
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    try:
        with interruptible():
            code = _code(arguments)
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if not _is_closed_pipe(error):
            raise
        _discard_output()
        return OK
    return code


def _code(arguments: list[str] | None) -> int:
    try:
        cli.main(arguments, prog_name="gotrace", standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OK
    return OK


def message_of(error: BaseException) -> str | None:
    """Return what to tell users about an error, or None for a bug of gotrace."""
    from gotrace.cli.inputs import as_option
    from gotrace.errors import GotraceError

    if isinstance(error, Failure):
        return error.message
    if isinstance(error, GotraceError):
        return as_option(error)
    if isinstance(error, OSError) and not _is_closed_pipe(error):
        named = f"{error.filename}: " if error.filename else ""
        return f"{named}{error.strerror or error}"
    if isinstance(error, MemoryError):
        return f"no memory is left: {error}" if str(error) else "no memory is left"
    duckdb = sys.modules.get("duckdb")
    if duckdb is not None and isinstance(error, duckdb.Error):
        return str(error)
    return None


def _failure(error: Exception) -> Failure:
    """Give an exception the message and the exit code that users see."""
    message = message_of(error)
    if message is not None:
        return Failure(message)
    import traceback

    for line in clean_lines("".join(traceback.format_exception(error))):
        click.echo(line, err=True)
    say("this is a bug of gotrace: please report it with the lines above")
    return Failure(f"{type(error).__name__}: {error}")


def _is_closed_pipe(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.ESHUTDOWN)


def _discard_output() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not fail."""
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
    except (OSError, ValueError):
        return
