"""How hypothesis searches: anew on every run at home, the same examples every time in CI; where kernels are kept, and
where the time went.

It knows no test.
"""

import os
from collections import Counter

import pytest
from hypothesis import settings

settings.register_profile("home", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "home")


def pytest_configure(config: pytest.Config) -> None:
    """Let all tests and the processes that they start share compiled kernels."""
    if not os.environ.get("MHAT_CACHE_DIR") and config.cache is not None:
        folder = config.cache.mkdir("kernels")
        folder.chmod(0o700)
        os.environ["MHAT_CACHE_DIR"] = str(folder)


FILES_SHOWN = 12


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which files took the time, where there was much of it."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.partition("::")[0]] += report.duration
    total = sum(seconds.values())
    if total < 60:
        return
    terminalreporter.section("where the time went")
    for file, spent in seconds.most_common(FILES_SHOWN):
        terminalreporter.write_line(f"{spent:6.0f} s  {spent / total:4.0%}  {file}")
    rest = sum(spent for _, spent in seconds.most_common()[FILES_SHOWN:])
    terminalreporter.write_line(f"{rest:6.0f} s  {rest / total:4.0%}  in {max(len(seconds) - FILES_SHOWN, 0)} others")
