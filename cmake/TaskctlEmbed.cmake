# Compiles sql/, profiles/, man/, completions/ and pages of docs/ into the binary. The headers are written at build time by cmake/Embed*.cmake
# and are never committed.

function(taskctl_embed_sql output)
  taskctl_embed(${output} EmbedSql.cmake sql "sqlite/*.sql;postgres/*.sql")
endfunction()

# taskctl_embed_texts(<header> <folder> <extension> <struct> <constant> [<stem>]): one file of the folder, or all
function(taskctl_embed_texts output folder extension type name)
  set(stem "*")
  if(ARGN)
    set(stem ${ARGN})
  endif()
  taskctl_embed(${output} EmbedTexts.cmake ${folder} "${stem}.${extension}"
                -DSTEM=${stem} -DEXTENSION=${extension} -DTYPE=${type} -DNAME=${name})
endfunction()

# taskctl_embed(<header> <script> <folder> <globs> [definitions …])
function(taskctl_embed output script folder globs)
  list(TRANSFORM globs PREPEND ${CMAKE_SOURCE_DIR}/${folder}/)
  file(GLOB inputs CONFIGURE_DEPENDS ${globs})
  get_filename_component(stem ${output} NAME_WE)
  set(run ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR}/${folder} -DOUTPUT=${output} ${ARGN}
          -P ${CMAKE_SOURCE_DIR}/cmake/${script})
  # Written once at configure time too, so that include scanners find it before the first build.
  execute_process(COMMAND ${run} COMMAND_ERROR_IS_FATAL ANY)
  add_custom_command(OUTPUT ${output}.stamp
    COMMAND ${run}
    COMMAND ${CMAKE_COMMAND} -E touch ${output}.stamp
    BYPRODUCTS ${output}
    DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/cmake/${script} COMMENT "embedding ${folder}/" VERBATIM)
  add_custom_target(embed_${stem} DEPENDS ${output}.stamp)
  set_property(GLOBAL APPEND PROPERTY TASKCTL_EMBED_TARGETS embed_${stem})
endfunction()
