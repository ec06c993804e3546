# Pages whose examples are run. A page listed here without a runnable example fails.
file(GLOB manual_pages CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/man/*.md)
# Of the queues that are tried on the real systems the examples are run there (tests/real).
set(profile_pages oban river procrastinate good-job solid-queue celery)
list(TRANSFORM profile_pages REPLACE "(.+)" "docs/profiles/\\1.md")
foreach(page ${manual_pages} ${profile_pages} README.md docs/profiles.md docs/postgresql.md docs/guard.md docs/runbook.md docs/json.md
        docs/workers.md docs/plans.md docs/unknown-queue.md)
  taskctl_script_test("docs: ${page}" docs python3 tests/docs/run_examples.py ${CMAKE_SOURCE_DIR}/${page})
  set_tests_properties("docs: ${page}" PROPERTIES SKIP_RETURN_CODE 77)
endforeach()
