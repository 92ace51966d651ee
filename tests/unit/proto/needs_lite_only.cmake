# cmake -D READELF=… -D PROGRAM=… -P needs_lite_only.cmake
execute_process(COMMAND "${READELF}" -d "${PROGRAM}" OUTPUT_VARIABLE needed COMMAND_ERROR_IS_FATAL ANY)
if(NOT needed MATCHES "libprotobuf-lite\\.so")
  message(FATAL_ERROR "${PROGRAM} is not linked with the lite runtime:\n${needed}")
endif()
if(needed MATCHES "libprotobuf\\.so")
  message(FATAL_ERROR "${PROGRAM} needs the full protobuf runtime:\n${needed}")
endif()
