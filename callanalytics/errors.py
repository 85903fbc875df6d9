"""The error tree.  An error's docstring is its user message: braces are filled from its arguments.

No message ever holds the text of a call, a name or a number of a person; a call is named by its id.
"""

from typing import Any


class CallAnalyticsError(Exception):
    """{reason}"""

    exit_code = 2

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        super().__init__((type(self).__doc__ or "").format(**fields))

    def __reduce__(self) -> tuple[Any, ...]:
        # An error must survive the way from a worker process to the engine.
        return (_rebuild, (type(self), self.fields))


def _rebuild(kind: type[CallAnalyticsError], fields: dict[str, Any]) -> CallAnalyticsError:
    return kind(**fields)


class ConfigError(CallAnalyticsError):
    """The configuration {path} can't be used: {reason}"""


class ManifestError(CallAnalyticsError):
    """The list of calls {path} can't be used: {reason}"""


class ModelMissing(CallAnalyticsError):
    """The model "{name}" is not on this machine ({reason}); run: callanalytics models pull {name}"""


class ModelRefused(CallAnalyticsError):
    """The model "{name}" is refused: {file} is not the file that the manifest names (sha256 differs); \
run: callanalytics models pull {name}"""


class ModelUnreachable(CallAnalyticsError):
    """The model "{name}" can't be fetched: {reason}"""


class DeviceMissing(CallAnalyticsError):
    """device = "cuda" is configured, but this machine offers no CUDA device; set device = "auto" or "cpu"."""


class StoreError(CallAnalyticsError):
    """The output {path} can't be used: {reason}"""


class StoreLocked(CallAnalyticsError):
    """Another run is writing to {path}; wait until it has finished, or choose another --output."""


class WorkerError(CallAnalyticsError):
    """The processes that work on calls end one after the other, whatever the call; free memory, lower --workers, or \
see what the system's log says of them."""


class InputError(CallAnalyticsError):
    """{path} can't be read: {reason}"""


class QueryError(CallAnalyticsError):
    """This query can't be run: {reason}"""


class UserError(CallAnalyticsError):
    """The user can't be made or changed: {reason}"""


class CallError(CallAnalyticsError):
    """Call {call_id} failed at stage {stage}: {reason}"""

    exit_code = 1

    @property
    def stage(self) -> str:
        """The step of the way that failed."""
        return str(self.fields["stage"])

    @property
    def state(self) -> str:
        """Of records.FailureState: whether trying again can end otherwise."""
        return str(self.fields.get("state", "final"))

    @property
    def reason(self) -> str:
        """What went wrong and what mends it, without the call's id."""
        return str(self.fields["reason"])
