# Workers of others say nothing more about our memory: not in the sanitizers' build.
if(TASKCTL_SANITIZE)
  return()
endif()
# Real queue systems with their real workers, in the versions that tests/real/package-lock.json and Debian name.
# scripts/test installs them (tests/real/setup.sh); what is missing fails here.
taskctl_script_test("real: installation" real tests/real/setup.sh --check)
set_tests_properties("real: installation" PROPERTIES FIXTURES_SETUP real_systems)
foreach(system graphile_worker pg_boss sidequest plainjob liteque delayed_job minion)
  string(REPLACE "_" "-" name ${system})
  taskctl_script_test("real: ${name}" real python3 tests/real/${system}.py)
  set_tests_properties("real: ${name}" PROPERTIES FIXTURES_REQUIRED real_systems TIMEOUT 600)
endforeach()
