"""Contract: what the adapter says of itself."""

from __future__ import annotations

import pytest

from crmkit.adapter import Capability, Level
from crmkit.crm import Crm
from crmkit.errors import BadPayload
from crmkit.models import RECORDS
from crmkit.settings import AccountSettings
from crmkit.testing.contract.bed import Bed, ContractPart
from crmkit.values import Kind


class PromiseContract(ContractPart):
    """Names, capabilities, limits."""

    def test_the_adapter_names_every_capability(self, bed: Bed, crm: Crm) -> None:
        """Each has a level, and no account has more than the vendor can at best."""
        promised = dict(bed.adapter.capabilities)
        assert set(promised) == set(Capability)
        assert [
            capability
            for capability in Capability
            if promised[capability] is Level.ABSENT and crm.supports(capability) is not Level.ABSENT
        ] == []

    def test_the_adapter_and_its_connection_agree_on_names(self, bed: Bed, crm: Crm) -> None:
        """Vendor and key are the same everywhere, the settings are the adapter's own."""
        account = crm.account
        assert (crm.vendor, account.vendor, bed.connection.vendor) == (bed.adapter.vendor,) * 3
        assert (account.key, bed.connection.key) == (bed.settings.key,) * 2
        assert isinstance(bed.settings, bed.adapter.settings_type)
        assert issubclass(bed.adapter.settings_type, AccountSettings)
        assert bed.adapter.title

    def test_volatile_fields_are_fields(self, bed: Bed) -> None:
        """What never makes an event is named by the record's own field names."""
        unknown = {
            (kind, name)
            for kind, names in bed.adapter.volatile.items()
            if kind in RECORDS
            for name in names - RECORDS[kind].model_fields.keys()
        }
        assert unknown == set()

    @pytest.mark.parametrize("kind", [Kind.DEAL, Kind.CONTACT, Kind.COMPANY, Kind.TASK])
    def test_a_body_that_is_no_record_is_a_bad_payload(self, bed: Bed, crm: Crm, kind: Kind) -> None:
        """The vendor answered with something else: it is refused in our own words, naming the account."""
        with pytest.raises(BadPayload) as bad:
            bed.adapter.translate(kind, {"unknown": []}, crm.account)
        assert bad.value.account == bed.settings.key

    def test_limits_are_budgets_of_this_account(self, bed: Bed) -> None:
        """Each has a key and allows something; equal settings give equal limits."""
        limits = bed.adapter.limits(bed.settings)
        assert limits
        assert all(limit.key and limit.permits > 0 and limit.per_s > 0 for limit in limits)
        assert limits == bed.adapter.limits(bed.settings)

    def test_settings_show_no_secret(self, bed: Bed) -> None:
        """Neither `repr` nor `str` of the settings gives a secret away."""
        secrets = [
            getattr(bed.settings, name).get_secret_value()
            for name in type(bed.settings).model_fields
            if hasattr(getattr(bed.settings, name), "get_secret_value")
        ]
        assert [secret for secret in secrets if secret in f"{bed.settings!r} {bed.settings}"] == []
