taskctl_script_test("manual: lint" docs python3 tests/man/lint.py ${CMAKE_BINARY_DIR}/man)
taskctl_script_test("manual: help opens it" docs python3 tests/man/help_in_terminal.py)
taskctl_script_test("manual: every variable is described" meta python3 tests/man/check_variables.py)
