# Helpers that keep CMakeLists.txt a list of facts.

# Warnings, sanitizers and coverage, the same for every target of ours.
function(taskctl_compile_options target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wuseless-cast
    # Designated initialisers name what differs from the defaults; the rest is meant to be left out.
    -Wno-missing-field-initializers)
  if(TASKCTL_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(TASKCTL_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${TASKCTL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
    target_link_options(${target} PRIVATE -fsanitize=${TASKCTL_SANITIZE})
  endif()
  if(TASKCTL_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage)
    target_link_options(${target} PRIVATE --coverage)
  endif()
  if(CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS)
  endif()
endfunction()

# taskctl_layer(<folder under src> DEPENDS … PRIVATE_DEPENDS …): a static library taskctl_<folder>
# of every .cpp directly in the folder.
function(taskctl_layer folder)
  cmake_parse_arguments(LAYER "" "" "DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cpp)
  if(NOT sources)
    file(WRITE ${CMAKE_BINARY_DIR}/empty_${name}.cpp "")
    set(sources ${CMAKE_BINARY_DIR}/empty_${name}.cpp)
  endif()
  add_library(taskctl_${name} STATIC ${sources})
  set_target_properties(taskctl_${name} PROPERTIES LINKER_LANGUAGE CXX)
  taskctl_compile_options(taskctl_${name})
  target_include_directories(taskctl_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src PRIVATE ${CMAKE_BINARY_DIR}/generated)
  target_link_libraries(taskctl_${name} PUBLIC ${LAYER_DEPENDS} PRIVATE ${LAYER_PRIVATE_DEPENDS})
  target_compile_definitions(taskctl_${name} PRIVATE TASKCTL_VERSION="${PROJECT_VERSION}")
  get_property(embedded GLOBAL PROPERTY TASKCTL_EMBED_TARGETS)
  add_dependencies(taskctl_${name} ${embedded})
endfunction()

# Every folder of commands/ in one library; the registry names each command once.
function(taskctl_commands_library)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/commands/*.cpp ${CMAKE_SOURCE_DIR}/commands/*/*.cpp)
  add_library(taskctl_commands STATIC ${sources})
  set_target_properties(taskctl_commands PROPERTIES LINKER_LANGUAGE CXX)
  taskctl_compile_options(taskctl_commands)
  target_include_directories(taskctl_commands PUBLIC ${CMAKE_SOURCE_DIR} PRIVATE ${CMAKE_BINARY_DIR}/generated)
  get_property(embedded GLOBAL PROPERTY TASKCTL_EMBED_TARGETS)
  add_dependencies(taskctl_commands ${embedded})
  target_link_libraries(taskctl_commands PUBLIC taskctl_cli taskctl_engine taskctl_view)
  target_compile_definitions(taskctl_commands PRIVATE TASKCTL_VERSION="${PROJECT_VERSION}")
endfunction()
