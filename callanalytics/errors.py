"""The tree of errors.  The text of an error has the name of its class in texts/errors.toml.

No message ever holds the text of a call, a name or a number of a person; a call is named by its id.
"""

from __future__ import annotations

from typing import Any

from callanalytics.texts import Message


class CallAnalyticsError(Exception):
    """An error for the user, put in words at the edge; `reason` is a message or the words of another program."""

    exit_code = 2

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        super().__init__(str(self.message))

    @property
    def message(self) -> Message:
        """Return the whole sentence."""
        return Message(f"errors.{type(self).__name__}", **self.fields)

    def say(self, lang: str) -> str:
        """Return the whole sentence in a language."""
        return self.message.say(lang)

    def __reduce__(self) -> tuple[Any, ...]:
        # An error must survive the way from a worker process to the engine.
        return (_rebuild, (type(self), self.fields))


def _rebuild(kind: type[CallAnalyticsError], fields: dict[str, Any]) -> CallAnalyticsError:
    return kind(**fields)


class ConfigError(CallAnalyticsError):
    """A mistake in the settings, or in a file they name."""


class ManifestError(CallAnalyticsError):
    """A mistake in the list of calls."""


class ModelMissing(CallAnalyticsError):
    """A model that is not on this machine."""


class ModelRefused(CallAnalyticsError):
    """A model file whose sha256 is not that of the manifest."""


class ModelUnreachable(CallAnalyticsError):
    """A model that no source gives."""


class DeviceMissing(CallAnalyticsError):
    """CUDA is asked for and absent."""


class StoreError(CallAnalyticsError):
    """OUT can't be read or written."""


class StoreLocked(CallAnalyticsError):
    """Another run writes to OUT."""


class WorkerError(CallAnalyticsError):
    """Processes that end one after the other, whatever the call."""


class InputError(CallAnalyticsError):
    """A file or folder that can't be read."""


class QueryError(CallAnalyticsError):
    """A query that can't be run."""


class UserError(CallAnalyticsError):
    """A user of the review app that can't be made or changed."""


class CallError(CallAnalyticsError):
    """A call that could not be processed."""

    exit_code = 1

    @property
    def stage(self) -> str:
        """Return the step that failed."""
        return str(self.fields["stage"])

    @property
    def state(self) -> str:
        """Return the state of records.FailureState: whether trying again can end otherwise."""
        return str(self.fields.get("state", "final"))

    @property
    def reason(self) -> Message | str:
        """Return what went wrong and what mends it, without the call's id."""
        reason: Message | str = self.fields["reason"]
        return reason


class Mistake(ValueError):
    """A mistake in what a user wrote, as a message; whoever knows the place makes an error of it."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(str(message))
