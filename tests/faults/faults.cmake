# Each file is a ctest of its own; it prints every case and fails when any fails.
taskctl_script_test("faults: reading does no harm" faults python3 tests/faults/reading_harmless.py)
taskctl_script_test("faults: interruptions" faults python3 tests/faults/interruptions.py)
