"""`python -m crmkit_cli`: the same as `crmkit`, where the script is not on the path."""

from crmkit_cli.main import main

main()
