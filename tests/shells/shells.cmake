# Real shells, typed into at a person's pace: a build under sanitizers answers too slowly for that. What the program answers
# is tested there all the same (completion: bounded and silent, and the unit tests of the commands).
if(NOT TASKCTL_SANITIZE)
  foreach(shell bash zsh fish)
    taskctl_script_test("completion: ${shell}" cli python3 tests/shells/complete_in_shell.py ${shell})
  endforeach()
endif()
taskctl_script_test("completion: bounded and silent" cli python3 tests/shells/bounded.py)
