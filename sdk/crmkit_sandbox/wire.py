"""The loose JSON that an emulated CRM takes and gives."""

from typing import Any, TypeAlias

# A strict shape here would only repeat the vendor's page; the checks of each vendor narrow what comes in.
Row: TypeAlias = dict[str, Any]
