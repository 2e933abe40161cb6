"""Contract: what a vendor says when things go wrong becomes the right error, with nothing secret in it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr

from crmkit.crm import Crm
from crmkit.errors import AuthError, CrmKitError, RateLimited, VendorDown
from crmkit.models import Contact, Deal
from crmkit.testing.contract.bed import Bed, ContractPart, Fault


class RefusalContract(ContractPart):
    """Errors of reads and writes."""

    @pytest.mark.parametrize("fault", [Fault.BROKEN, Fault.PAGE, Fault.CUT, Fault.LOST])
    def test_no_usable_answer_to_a_read_is_vendor_down(self, bed: Bed, crm: Crm, fault: Fault) -> None:
        """Server errors, pages for people, half answers and none: the CRM is down, and no write is in doubt."""
        ref = crm.deals.create(Deal(title="Окна"))
        bed.fail(fault, on="reads", times=None)
        with pytest.raises(VendorDown) as down:
            crm.deals.get(ref)
        bed.heal()
        assert (down.value.maybe_applied, down.value.retryable, down.value.pauses_account) == (False, True, True)
        assert crm.deals.get(ref).title == "Окна"

    @pytest.mark.parametrize("fault", [Fault.PAGE, Fault.CUT, Fault.LOST])
    def test_no_usable_answer_to_a_write_may_have_been_applied(self, bed: Bed, crm: Crm, fault: Fault) -> None:
        """Nobody can know whether the write was done; so the error says, and it is not repeated in silence."""
        crm.contacts.create(Contact(name="Первый"))
        bed.fail(fault, on="writes", times=None)
        with pytest.raises(VendorDown) as down:
            crm.contacts.create(Contact(name="Второй"))
        bed.heal()
        names = [contact.name for contact in crm.contacts.iterate()]
        assert down.value.maybe_applied
        assert names.count("Второй") <= 1

    def test_a_passing_failure_of_a_read_is_not_felt_or_is_told(self, bed: Bed, crm: Crm) -> None:
        """One server error: read again by the connection, or told as VendorDown; afterwards all is well."""
        ref = crm.deals.create(Deal(title="Окна"))
        bed.fail(Fault.BROKEN, on="reads")
        try:
            found = crm.deals.get(ref)
        except VendorDown:
            found = crm.deals.get(ref)
        assert found.title == "Окна"

    def test_a_used_up_limit_is_rate_limited(self, bed: Bed, crm: Crm) -> None:
        """A limit that does not recover pauses the account and counts as no attempt."""
        ref = crm.deals.create(Deal(title="Окна"))
        bed.fail(Fault.LIMITED, on="reads", times=None)
        with pytest.raises(RateLimited) as limited:
            crm.deals.get(ref)
        bed.heal()
        assert (limited.value.retryable, limited.value.pauses_account) == (True, True)
        assert limited.value.retry_after_s is None or limited.value.retry_after_s > 0

    def test_a_refusal_by_the_limit_is_waited_out_or_told(self, bed: Bed, crm: Crm) -> None:
        """After one refusal no request is made before the vendor's time is over."""
        ref = crm.deals.create(Deal(title="Окна"))
        before = bed.now()
        bed.fail(Fault.LIMITED, on="reads")
        try:
            found = crm.deals.get(ref)
        except RateLimited:
            found = crm.deals.get(ref)
        else:
            assert bed.now() - before >= timedelta(seconds=1)
        assert found.title == "Окна"

    def test_the_vendors_limit_is_never_hit(self, bed: Bed, crm: Crm) -> None:
        """Sixty requests one after the other: the connection paces itself, so that the account refuses none."""
        ref = crm.deals.create(Deal(title="Окна"))
        titles = {crm.deals.get(ref).title for _ in range(60)}
        assert (titles, bed.refusals()) == ({"Окна"}, 0)

    def test_threads_share_a_connection(self, bed: Bed, crm: Crm) -> None:
        """Writes of several threads each make their own record."""
        names = {f"Контакт {number}" for number in range(24)}
        with ThreadPoolExecutor(4) as pool:
            refs = set(pool.map(lambda name: crm.contacts.create(Contact(name=name)), names))
        assert len(refs) == len(names)
        assert {contact.name for contact in crm.contacts.iterate()} == names

    def test_refused_credentials_are_an_auth_error_without_secrets(self, bed: Bed, crm: Crm) -> None:
        """The error names the account and what to do, pauses the account, and shows no secret."""
        ref = crm.deals.create(Deal(title="Окна"))
        bed.fail(Fault.DENIED, on="reads", times=None)
        with pytest.raises(AuthError) as denied:
            crm.deals.get(ref)
        bed.heal()
        assert (denied.value.account, denied.value.pauses_account) == (bed.settings.key, True)
        assert denied.value.remedy
        assert _secrets_in(bed, denied.value) == []

    def test_an_error_names_account_and_vendor(self, bed: Bed, crm: Crm) -> None:
        """Whatever is raised, the reader knows where it happened."""
        bed.fail(Fault.BROKEN, on="reads", times=None)
        with pytest.raises(CrmKitError) as failed:
            list(crm.deals.iterate())
        bed.heal()
        assert failed.value.vendor == bed.adapter.vendor
        assert _secrets_in(bed, failed.value) == []


def _secrets_in(bed: Bed, error: CrmKitError) -> list[str]:
    secrets = [
        value.get_secret_value()
        for name in type(bed.settings).model_fields
        if isinstance(value := getattr(bed.settings, name), SecretStr)
    ]
    shown = f"{error} {error!r} {error.__dict__} {error.__cause__!r}"
    return [secret for secret in secrets if secret in shown]
