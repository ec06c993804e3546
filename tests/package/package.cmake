# A program with sanitizers depends on their libraries and is never packaged.
if(NOT TASKCTL_SANITIZE)
  taskctl_script_test("package: installed run and removed" package python3 tests/package/package_test.py ${CMAKE_BINARY_DIR})
endif()
