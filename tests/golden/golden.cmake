# Every tests/golden/<command>/<case>.case is a ctest "golden: <command>/<case>".
file(GLOB cases CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR}/golden ${CMAKE_CURRENT_SOURCE_DIR}/golden/*/*.case)
foreach(case IN LISTS cases)
  string(REPLACE ".case" "" name ${case})
  taskctl_script_test("golden: ${name}" cli python3 tests/golden/run_case.py ${CMAKE_CURRENT_SOURCE_DIR}/golden/${case})
  # 77: an accepting run; scripts/test counts it as not run.
  set_tests_properties("golden: ${name}" PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
