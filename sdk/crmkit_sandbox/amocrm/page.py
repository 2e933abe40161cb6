"""The page for people: a board of deals, people, tasks, calls and sent hooks, in Russian or English."""

from flask import Flask

from crmkit_sandbox.courier import Courier

from .account import Account
from .hooks import Hooks


def add_page(app: Flask, account: Account, hooks: Hooks, courier: Courier) -> None:
    """Add the page's routes."""
