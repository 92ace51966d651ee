# cmake -D PROTOC=… -D STAGE=folder -D OUT=folder -D "ARGUMENTS=…" -P generate.cmake
#
# Runs protoc into STAGE and takes over to OUT what has changed, so that a new comment or a new build
# of the plugin does not compile the whole project again. STAGE and OUT are not emptied.
execute_process(COMMAND "${PROTOC}" ${ARGUMENTS} COMMAND_ERROR_IS_FATAL ANY)
file(GLOB_RECURSE made RELATIVE "${STAGE}" "${STAGE}/*")
foreach(file IN LISTS made)
  configure_file("${STAGE}/${file}" "${OUT}/${file}" COPYONLY)
endforeach()
