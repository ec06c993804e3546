# Kills under strace and a leak checker that traces itself do not go together: not in the sanitizers' build.
if(TASKCTL_SANITIZE)
  return()
endif()
# The short form of scripts/torture, every test a ctest of its own. Each prints what it did, and fails on a violation of
# an invariant, and when it tested too little. One seed here, so that a build is not red by chance; scripts/torture draws
# a new one each time.
foreach(name T1a T1b T1c T1d T3 T4 T5 T6 T7 T8 T9 T10 T11 T12 T13 T14 T16 T17 T18 T19 T20 T21 T22 T23 T24 T25 T26 T31 T33 T34 T36)
  taskctl_script_test("torture: ${name}" torture python3 tests/torture/run.py --only ${name} --seed 2)
  set_tests_properties("torture: ${name}" PROPERTIES TIMEOUT 900)
endforeach()
