# Many processes, and no code that the other tests do not run: not again in the sanitizers' build.
if(TASKCTL_SANITIZE)
  return()
endif()
# Every command under the roles that `taskctl grants` prints, one ctest for each profile.
foreach(scene workspace_tasks cluster jobs task_queue odd_names)
  taskctl_script_test("roles: ${scene}" roles python3 tests/roles/every_command.py ${scene})
  set_tests_properties("roles: ${scene}" PROPERTIES TIMEOUT 900)
endforeach()
