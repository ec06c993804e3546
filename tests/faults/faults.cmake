# Each file is a ctest of its own; it prints every case and fails when any fails.
taskctl_script_test("faults: reading does no harm" faults python3 tests/faults/reading_harmless.py)
taskctl_script_test("faults: interruptions" faults python3 tests/faults/interruptions.py)
taskctl_script_test("faults: who is alive" faults python3 tests/faults/alive_from.py)
taskctl_script_test("faults: full disk" faults python3 tests/faults/full_disk.py)
taskctl_script_test("faults: trouble with the server" faults python3 tests/faults/server_trouble.py)
taskctl_script_test("faults: a pool before the server" faults python3 tests/faults/pooler.py)
taskctl_script_test("faults: first seen" faults python3 tests/faults/first_seen.py)
taskctl_script_test("faults: a server that says nothing" faults python3 tests/faults/silent_server.py)
