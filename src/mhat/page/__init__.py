"""The laboratory as a page: what it shows, and how it is opened. The page itself is made in `web/`.

    given     what a page begins with: rules, knobs, gradients, a verdict, as plain data
    judged    the same after a check: the rule beside what the subject does
    bundle    the built page, as the package carries it
    files     a page as one file, with everything in it
    server    the page served to this machine alone
    widget    the page in a notebook

It knows rules and verdicts, and computes nothing: the page does.
"""

from mhat.page.files import page_text
from mhat.page.given import Given, given_for

__all__ = ["Given", "given_for", "page_text"]
