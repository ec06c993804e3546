# Real shells, typed into.
foreach(shell bash zsh fish)
  taskctl_script_test("completion: ${shell}" cli python3 tests/shells/complete_in_shell.py ${shell})
endforeach()
taskctl_script_test("completion: bounded and silent" cli python3 tests/shells/bounded.py)
