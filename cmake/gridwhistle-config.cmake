# find_package(gridwhistle) gives gridwhistle::client, the library, and gridwhistle::ports, its
# doors for a desktop.
include(CMakeFindDependencyMacro)
find_dependency(Threads)
find_dependency(Protobuf)
find_dependency(gRPC CONFIG)
find_dependency(SQLite3)
find_dependency(OpenSSL)
find_dependency(Boost)
find_dependency(zstd CONFIG)
include("${CMAKE_CURRENT_LIST_DIR}/gridwhistle-targets.cmake")
