# What `cmake --install` and the Debian package contain. Manual pages are filled by the program that they describe.

include(GNUInstallDirs)
find_program(GZIP_PROGRAM gzip REQUIRED)

set(man_folder ${CMAKE_BINARY_DIR}/man)
file(GLOB man_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/man/*.md)
set(man_pages "")
foreach(source IN LISTS man_sources)
  get_filename_component(page ${source} NAME_WLE)
  # -n: no time in the archive, so that the same sources give the same file.
  add_custom_command(OUTPUT ${man_folder}/${page}.gz
    COMMAND taskctl __man ${page} > ${man_folder}/${page}
    COMMAND ${GZIP_PROGRAM} -9nkf ${man_folder}/${page}
    DEPENDS taskctl ${source} COMMENT "manual page ${page}" VERBATIM)
  list(APPEND man_pages ${man_folder}/${page}.gz)
  string(REGEX REPLACE ".*\\." "" section ${page})
  install(FILES ${man_folder}/${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endforeach()
file(MAKE_DIRECTORY ${man_folder})
add_custom_target(man ALL DEPENDS ${man_pages})

install(TARGETS taskctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES completions/bash.completion DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME taskctl)
# Debian's zsh looks into vendor-completions below /usr, and into site-functions below /usr/local.
install(CODE "
  set(folder site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(folder vendor-completions)
  endif()
  file(INSTALL DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${folder}\" TYPE FILE
       FILES \"${CMAKE_SOURCE_DIR}/completions/zsh.completion\" RENAME _taskctl)")
install(FILES completions/fish.completion DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME taskctl.fish)
install(FILES README.md docs/profiles.md docs/postgresql.md docs/guard.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/examples/config.toml packaging/examples/taskctl.cron
        DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(FILES packaging/systemd/taskctl-reconcile@.service packaging/systemd/taskctl-reconcile@.timer
        DESTINATION lib/systemd/system)

# The Debian package: scripts/package. Its own files are no part of a plain `cmake --install`.
set(debian_folder ${CMAKE_BINARY_DIR}/debian)
set(TASKCTL_PACKAGE_REVISION 1)
file(MAKE_DIRECTORY ${debian_folder})
foreach(pair "packaging/debian/changelog|changelog.Debian.gz" "CHANGELOG.md|changelog.gz")
  string(REPLACE "|" ";" pair ${pair})
  list(GET pair 0 source)
  list(GET pair 1 archive)
  add_custom_command(OUTPUT ${debian_folder}/${archive}
    COMMAND ${GZIP_PROGRAM} -9nc ${CMAKE_SOURCE_DIR}/${source} > ${debian_folder}/${archive}
    DEPENDS ${source} COMMENT "${archive}" VERBATIM)
  list(APPEND debian_files ${debian_folder}/${archive})
endforeach()
add_custom_target(package_texts ALL DEPENDS ${debian_files})
install(FILES ${debian_files} packaging/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES packaging/debian/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME taskctl
        COMPONENT debian EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME taskctl)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_CMAKE_PROJECTS "${CMAKE_BINARY_DIR};taskctl;ALL;/;${CMAKE_BINARY_DIR};taskctl;debian;/")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${TASKCTL_PACKAGE_REVISION})
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "taskctl maintainers <taskctl@example.org>")
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Zones of naive times are read from the system's files; pg_dump makes the backups of PostgreSQL.
# libpq is opened when it is needed: dpkg-shlibdeps does not see it.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "libpq5, tzdata")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS postgresql-client)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "man-db, sqlite3")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "find and repair task rows that lie")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "A task database says that a task is running, and nothing runs: the worker
died, a cancel was only half written, a lease ran out. taskctl reads the
table in which an application keeps its tasks (SQLite or PostgreSQL, whatever
the schema), finds such rows, and repairs them.

A repair is previewed on a connection that cannot write, preceded by a
verified backup, guarded row by row, journalled in the same transaction, and
can be taken back to the last column.")
include(CPack)
