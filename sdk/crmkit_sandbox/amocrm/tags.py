"""Tags of one kind of records: by id or name, made when first used."""

from crmkit_sandbox.wire import Row

from .account import Account
from .problems import Check


def take_tag(account: Account, kind: str, name: str, color: str | None = None) -> Row:
    """The tag of that name, made when there is none."""
    shelf = account.shelves[f"tags_{kind}"]
    for tag in shelf.values():
        if tag["name"] == name:
            return tag
    tag = {"id": account.take_id("tags"), "name": name, "color": color}
    shelf[tag["id"]] = tag
    return tag


def read_tags(account: Account, kind: str, given: object, path: str, check: Check) -> list[Row]:
    """What a written list of tags means; faults are noted in `check`. New names are given id None."""
    if given is None:
        return []
    if not isinstance(given, list):
        check.wrong_type(path, "array")
        return []
    shelf = account.shelves[f"tags_{kind}"]
    found: list[Row] = []
    for index, item in enumerate(given):
        if not isinstance(item, dict) or not (item.get("id") or item.get("name")):
            check.missing(f"{path}.{index}.name")
        elif item.get("id"):
            if item["id"] in shelf:
                found.append(shelf[item["id"]])
            else:
                check.choice(f"{path}.{index}.id")
        else:
            found.append({"id": None, "name": str(item["name"])})
    return found


def change_tags(before: list[Row], *, replace: list[Row] | None, add: list[Row], delete: list[Row]) -> list[Row]:
    """The tags after a write."""
    names = {tag["name"] for tag in delete}
    after = [tag for tag in (before if replace is None else replace) if tag["name"] not in names]
    known = {tag["name"] for tag in after}
    return after + [tag for tag in add if tag["name"] not in known]


def settle_tags(account: Account, kind: str, tags: list[Row]) -> list[Row]:
    """The same tags with those made that were only named."""
    return [tag if tag.get("id") else take_tag(account, kind, tag["name"]) for tag in tags]
