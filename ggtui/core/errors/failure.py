"""What every failure tells a person and a program."""

from __future__ import annotations

from typing import ClassVar


class Failure(Exception):
    """What happened, in words a person and a program can both use.

    title: what failed, without the particulars; a dialog needs no table of its own.
    detail: the particulars, one sentence. hint: what to do, may be empty.
    """

    title: ClassVar[str] = "Something failed"
    status: ClassVar[int] = 500
    """HTTP status towards a client."""
    error_type: ClassVar[str] = "server_error"
    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str = "", *, hint: str = "", param: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.param = param

    @property
    def message(self) -> str:
        """One line for a client: the detail, or the title when there is none."""
        return self.detail or self.title

    @property
    def public(self) -> str:
        """The same for others than who has asked, and for logs: nothing of the request is in it."""
        return self.message

    @property
    def is_retryable(self) -> bool:
        """True when the same call may succeed a little later."""
        return self.retryable

    @property
    def suggested_status_code(self) -> int:
        """HTTP status that fits this failure."""
        return self.status


class ConfigInvalid(Failure):
    """A flag, an environment variable or the configuration file is wrong; names the place."""

    title = "Configuration is not valid"
    status = 400
    error_type = "invalid_request_error"
    code = "invalid_configuration"
