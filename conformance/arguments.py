"""How the command reads its arguments: errors in one line, choices, options of a run, completion in a shell."""

import io
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TypeVar

import click
from click.shell_completion import CompletionItem

from conformance.contract.clauses import load_edition
from conformance.errors import CANNOT_RUN, UserError
from conformance.options import EDITIONS, GROUPS, OPTIONS, one_of

_Function = TypeVar("_Function", bound=Callable[..., Any])


class CommandGroup(click.Group):
    """A command that ends each error with one line and one status."""

    def main(self, *arguments: Any, **settings: Any) -> NoReturn:
        """Run the command and end the process with its exit status."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # Portals answer any character; the encoding of a terminal or of a file may have few.
                stream.reconfigure(errors="backslashreplace")
        try:
            status = super().main(*arguments, **{**settings, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            status = CANNOT_RUN
        except click.ClickException as error:
            status = _fail(error.format_message())
        except UserError as error:
            status = _fail(str(error))
        except click.Abort:
            status = _fail("stopped")
        except Exception:  # noqa: BLE001 - Python's own status for a defect of ours would read as a verdict
            traceback.print_exc()
            status = CANNOT_RUN
        sys.exit(status)

    def invoke(self, context: click.Context) -> Any:
        """Run a subcommand. Raises UserError where its output cannot be written."""
        try:
            return super().invoke(context)
        except OSError as error:
            # Python would try to write the rest of the output when it ends, and fail with a status of its own.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise UserError(f"{error.filename or 'standard output'}: {error.strerror}") from None


def _fail(text: str) -> int:
    click.echo(f"Error: {text}", err=True)
    return CANNOT_RUN


# Before 8.4 the type of click takes no argument.
class OneOf(click.ParamType):  # type: ignore[type-arg]
    """A value out of a few, which are loaded where they are needed."""

    name = "choice"

    def __init__(self, choices: Callable[[], Sequence[str]]) -> None:
        self._choices = choices

    def convert(self, value: Any, param: click.Parameter | None, _context: click.Context | None) -> Any:
        """Return the value. Raises UserError if it is not one of the choices."""
        return one_of(param.opts[0] if param else "", value, self._choices())

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return the choices as help shows them."""
        return "|".join(self._choices())

    def shell_complete(self, _context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the choices that begin like this."""
        return completions(self._choices(), incomplete)


def completions(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def options_of_a_run(*names: str) -> Callable[[_Function], _Function]:
    """Give a command some of the options of a run; `checked` reads their values."""

    def decorate(function: _Function) -> _Function:
        for option in (option for option in reversed(OPTIONS) if option.name in names):
            function = click.option(
                option.name, metavar=option.shown_value or None, is_flag=not option.metavar, help=option.help
            )(function)
        return function

    return decorate


class Forwarded(click.Command):
    """A command that hands its arguments on. Help and completion come from the options of a run."""

    def format_options(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by group, and how those of pytest are given."""
        for group, options in GROUPS.items():
            with formatter.section(group.capitalize()):
                formatter.write_dl([(f"{option.name} {option.shown_value}".strip(), option.help) for option in options])
        with formatter.section("Options of pytest"):
            formatter.write_dl([("-k, -m, -x, --lf, -v, ...", "Each other option goes to pytest: see `pytest -h`.")])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the names of options that begin like this."""
        return completions((option.name for option in OPTIONS), incomplete)


def complete_value(context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the choices of the option before the cursor, else names of files."""
    before = (context.params.get("arguments") or ("",))[-1]
    choices = next((option.choices for option in OPTIONS if option.name == before), ())
    return completions(choices, incomplete) if choices else [CompletionItem(incomplete, type="file")]


def complete_library(_context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from conformance.clients.libraries import libraries

    return completions(libraries(), incomplete)


def complete_clause(_context: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the ids of clauses of any edition that begin like this."""
    ids = dict.fromkeys(clause for name in EDITIONS for clause in load_edition(name).all_clauses)
    return completions(ids, incomplete)
