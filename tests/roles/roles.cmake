# Many processes, and no code that the other tests do not run: not again in the sanitizers' build.
if(TASKCTL_SANITIZE)
  return()
endif()
# Every command under the roles that `taskctl grants` prints, one ctest for each profile.
foreach(scene workspace_tasks cluster jobs task_queue odd_names)
  set(each_right "")
  if(scene MATCHES "jobs|odd_names")
    set(each_right --each-right)
  endif()
  taskctl_script_test("roles: ${scene}" roles python3 tests/roles/every_command.py ${scene} ${each_right})
  set_tests_properties("roles: ${scene}" PROPERTIES TIMEOUT 900)
endforeach()
