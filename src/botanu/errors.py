"""What can go wrong, as a tree.

::

    BotanuError
    ├── OutcomeError (ValueError)    an outcome that is a programming error, such as an unknown status
    ├── IdentityError (ValueError)   an id or name that cannot identify anything, or is given twice
    ├── SettingsError (ValueError)   settings that cannot be read; lists every fault at once
    ├── StrictError                  what the SDK would log as a warning, where it is strict
    ├── DecodeError (ValueError)     a request that will never be readable
    │   └── TooLargeError            ... because it is over a limit
    ├── PriceError (ValueError)      a price or value that cannot be meant
    ├── InvoiceError (ValueError)    an invoice that cannot be read, or compared with what is booked
    ├── QueryError (ValueError)      a question that is not allowed or cannot be answered
    └── StoreError
        ├── StoreLockedError         another process holds the store
        ├── SchemaError              the store was written by a newer version
        └── UnavailableError         the store cannot take or give data now; later may work

Each message says what was wrong, with what value, and what to do.
"""


class BotanuError(Exception):
    """Base of every error botanu raises on purpose."""


class OutcomeError(BotanuError, ValueError):
    """An outcome that is a programming error, such as an unknown status."""


class IdentityError(BotanuError, ValueError):
    """An id or name that cannot identify anything, such as an empty event id, or is given twice."""


class SettingsError(BotanuError, ValueError):
    """Settings that cannot be read; the message lists every fault at once."""


class StrictError(BotanuError):
    """What the SDK would log as a warning, where it is strict: under ``botanu.testing``, or by the setting."""


class DecodeError(BotanuError, ValueError):
    """A request that will never be readable: sending it again is no use."""


class TooLargeError(DecodeError):
    """A request over a limit."""


class PriceError(BotanuError, ValueError):
    """A price or value that cannot be meant."""


class InvoiceError(BotanuError, ValueError):
    """An invoice that cannot be read, or compared with what is booked."""


class QueryError(BotanuError, ValueError):
    """A question that is not allowed or cannot be answered."""


class StoreError(BotanuError):
    """The store cannot do what was asked."""


class StoreLockedError(StoreError):
    """Another process holds the store."""


class SchemaError(StoreError):
    """The store was written by a newer version of botanu."""


class UnavailableError(StoreError):
    """The store cannot take or give data now; later may work."""
