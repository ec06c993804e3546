#!/usr/bin/env python3
"""Runs the torture tests: scripts/torture [--long [--share PERCENT]] [--only T1b,T7] [--seed N]. Fails on any violation."""
import sys
import traceback

import application
import backups
import clocks
import concurrency
import files
import hostile
import iofaults
import kills
import kills_beside as beside
import network
import plans
import purity
import retention
import roundtrip
import servers
import sessions
from campaign import parse_options

TESTS = {
    "T1a": [kills.t1a, kills.t1a_backend],
    "T1b": [kills.t1b, kills.t1b_server],
    "T1c": [kills.t1c_backup, beside.t1c_resume, beside.t1c_pauses, beside.t1c_prune, beside.t1c_restore],
    "T1d": [kills.t1d],
    "T3": [iofaults.t3],
    "T4": [iofaults.t4],
    "T5": [network.t5a, network.t5b, network.t5c],
    "T6": [servers.t6_terminated, servers.t6_restart, servers.t6_failover, servers.t6_late_standby, servers.t6_standby_stays],
    "T7": [concurrency.t7],
    "T8": [concurrency.t8],
    "T9": [application.t9],
    "T10": [application.t10],
    "T11": [plans.t11],
    "T12": [purity.t12],
    "T13": [roundtrip.random_databases],
    "T14": [roundtrip.undo_after_changes],
    "T16": [files.t16],
    "T17": [backups.t17],
    "T18": [retention.t18],
    "T19": [backups.t19],
    "T20": [files.t20],
    "T21": [backups.t21],
    "T22": [sessions.t22, servers.t22_promotion],
    "T23": [backups.t23],
    "T24": [clocks.t24],
    "T25": [clocks.t25],
    "T26": [hostile.t26],
    "T31": [hostile.t31],
    "T33": [sessions.t33],
    "T34": [plans.t34],
    "T36": [hostile.t36],
}


def main() -> int:
    options, names = parse_options()
    unknown = [name for name in names if name not in TESTS]
    if unknown:
        print(f"no test is called {', '.join(unknown)}; there are {', '.join(TESTS)}", file=sys.stderr)
        return 2
    good, points = True, 0
    for name, tests in TESTS.items():
        if names and name not in names:
            continue
        for test in tests:
            try:
                for campaign in test(options):
                    good &= campaign.finish()
                    points += campaign.points
            except Exception:  # whatever it is, the tests after it still run
                traceback.print_exc(file=sys.stdout)
                print(f"FAILED {name}: seed {options.seed}")
                good = False
    print(f"{'passed' if good else 'FAILED'}: {points} points, seed {options.seed}")
    return 0 if good else 1


sys.exit(main())
