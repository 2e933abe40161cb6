"""`AdapterContract`: the tests that every adapter inherits.

An adapter's test subclasses it and gives the fixture `bed`, which describes an account of the vendor (or its emulator).
"""

from crmkit.testing.contract.bed import Bed, Fault
from crmkit.testing.contract.feeding import FeedContract, HookContract
from crmkit.testing.contract.filing import FileContract
from crmkit.testing.contract.promising import PromiseContract
from crmkit.testing.contract.reading import ReadingContract
from crmkit.testing.contract.records import RecordContract
from crmkit.testing.contract.refusing import RefusalContract
from crmkit.testing.contract.writing import WritingContract

__all__ = ["AdapterContract", "Bed", "Fault"]


class AdapterContract(
    PromiseContract,
    RecordContract,
    ReadingContract,
    WritingContract,
    FileContract,
    RefusalContract,
    FeedContract,
    HookContract,
):
    """All parts of the contract; absent capabilities are skipped, nothing else is."""
