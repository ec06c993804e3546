# The oldest and the newest PostgreSQL that taskctl supports; everything else runs on Debian's 15. What dumps is left
# out: pg_dump must not be older than its server, and Debian 12 has only the one of 15.
if(TASKCTL_SANITIZE)
  return()
endif()
foreach(version 13 18)
  foreach(suite contract statements store_postgres)
    taskctl_script_test("servers: ${suite} on PostgreSQL ${version}" servers
      python3 tests/servers/on_server.py ${version} $<TARGET_FILE:test_${suite}> "~backup - *")
    set_tests_properties("servers: ${suite} on PostgreSQL ${version}" PROPERTIES FIXTURES_REQUIRED real_systems TIMEOUT 600 COST 500)
    set_property(TEST "servers: ${suite} on PostgreSQL ${version}" APPEND PROPERTY ENVIRONMENT TASKCTL_TEST_ENGINE=postgres)
  endforeach()
endforeach()
