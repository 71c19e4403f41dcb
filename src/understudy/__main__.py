"""`python -m understudy` is `understudy`; nothing else is here."""

from understudy.cli.main import main

main()
