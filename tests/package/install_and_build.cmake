# Installs BUILD into WORK/prefix, builds the project in SOURCE, which README shows, against it and
# runs it.
function(must)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    list(JOIN ARGV " " words)
    message(FATAL_ERROR "${words}: exit code ${code}\n${text}")
  endif()
endfunction()

file(READ "${README}" readme)
file(READ "${SOURCE}/CMakeLists.txt" shown)
string(FIND "${readme}" "${shown}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "README.md shows another CMakeLists.txt than ${SOURCE}; bring them together")
endif()

file(REMOVE_RECURSE "${WORK}")
must("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix")
must("${CMAKE_COMMAND}" -G Ninja -S "${SOURCE}" -B "${WORK}/build"
  "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DCMAKE_CXX_COMPILER=${COMPILER}")
must("${CMAKE_COMMAND}" --build "${WORK}/build")
must("${WORK}/build/integrator" "${WORK}/phone.db")
