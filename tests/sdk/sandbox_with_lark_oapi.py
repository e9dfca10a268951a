"""The vendor's own Python SDK, unchanged, against Nightjar's sandbox.

The sandbox was written from notes about the platform, and so was our client: both could share one misreading.
The SDK was written by those who run the platform, so what it can do with the sandbox is the proof.

    python tests/sdk/sandbox_with_lark_oapi.py --nightjar target/debug/nightjar [--record DIR]

Each check prints a line; the last line counts them. With `--record`, DIR gets everything that crossed the
wire (`wire.jsonl`) and the chosen recordings (`fixtures/`), which stand in `tests/data/` for the Rust tests
that decode. The clock of the sandbox is moved instead of waiting, both for redeliveries and for rate limits.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

from group_checks import GroupChecks
from harness import Checks, Sandbox
from wire import Wire


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nightjar", required=True, help="the binary")
    parser.add_argument(
        "--record", type=pathlib.Path, metavar="DIR", help="where to write what crossed the wire"
    )
    arguments = parser.parse_args()
    checks, wire = Checks(), Wire()
    with Sandbox(arguments.nightjar, "--platform-only") as sandbox:
        trial = GroupChecks(sandbox, wire)
        for name, check in trial.checks():
            wire.begin(name)
            checks.run(name, check)
        trial.connection.stop()
        if arguments.record:
            wire.write(arguments.record)
        if checks.failed:
            print(f"---- the sandbox said\n{sandbox.output()}----", file=sys.stderr)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
