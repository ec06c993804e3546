# Compiles sql/, profiles/ and docs/rules/ into the binary. The headers are written at build time by
# cmake/Embed*.cmake and are never committed.
function(taskctl_embed_sql output)
  file(GLOB inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/sql/sqlite/*.sql ${CMAKE_SOURCE_DIR}/sql/postgres/*.sql)
  taskctl_embed(${output} EmbedSql.cmake sql "${inputs}")
endfunction()

function(taskctl_embed_profiles output)
  file(GLOB inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/profiles/*.toml)
  taskctl_embed(${output} EmbedProfiles.cmake profiles "${inputs}")
endfunction()

function(taskctl_embed_rules output)
  file(GLOB inputs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/rules/*.md)
  taskctl_embed(${output} EmbedRules.cmake docs/rules "${inputs}")
endfunction()

function(taskctl_embed output script folder inputs)
  get_filename_component(stem ${output} NAME_WE)
  # Written once at configure time too, so that include scanners find it before the first build.
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR}/${folder} -DOUTPUT=${output}
                          -P ${CMAKE_SOURCE_DIR}/cmake/${script} COMMAND_ERROR_IS_FATAL ANY)
  add_custom_command(OUTPUT ${output}.stamp
    COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR}/${folder} -DOUTPUT=${output} -P ${CMAKE_SOURCE_DIR}/cmake/${script}
    COMMAND ${CMAKE_COMMAND} -E touch ${output}.stamp
    BYPRODUCTS ${output}
    DEPENDS ${inputs} ${CMAKE_SOURCE_DIR}/cmake/${script} COMMENT "embedding ${folder}/" VERBATIM)
  add_custom_target(embed_${stem} DEPENDS ${output}.stamp)
  set_property(GLOBAL APPEND PROPERTY TASKCTL_EMBED_TARGETS embed_${stem})
endfunction()
