# Debian packages: one a part of what is installed. `scripts/package` builds them into build/packages.
#
#   jumelage          the tool, with the tables that the service reads too (component tool)
#   jumelaged         the service (service)
#   libjumelage<N>    the client library, named after its SONAME (library)
#   libjumelage-dev   what programs with it are built of (development)
set(packaging "${PROJECT_SOURCE_DIR}/scripts/packaging/debian")

# ---- what Debian wants to find beside the files ----
string(TIMESTAMP JML_CHANGELOG_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC) # of SOURCE_DATE_EPOCH, if it is set
find_program(JML_GZIP gzip)
if(JML_GZIP)
  configure_file("${packaging}/changelog.in" changelog @ONLY)
  execute_process(COMMAND ${JML_GZIP} -9nfk changelog WORKING_DIRECTORY "${PROJECT_BINARY_DIR}")
  foreach(pair tool/jumelage service/jumelaged library/libjumelage${PROJECT_VERSION_MAJOR}
          development/libjumelage-dev)
    string(REPLACE "/" ";" pair ${pair})
    list(GET pair 0 component)
    list(GET pair 1 package)
    install(FILES "${packaging}/copyright" "${PROJECT_BINARY_DIR}/changelog.gz"
      DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
  endforeach()
endif()

# ---- the packages ----
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME jumelage)
set(CPACK_PACKAGE_CONTACT "The jumelage maintainers <maintainers@jumelage.example>")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
    GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL tool service library development)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SECTION misc)

set(CPACK_DEBIAN_TOOL_PACKAGE_NAME jumelage)
set(CPACK_COMPONENT_TOOL_DESCRIPTION "startup matchmaking between sister cities
Matches startups with hosts and investors of the sister city, with reasons
that add up, from a store of this machine or through a service.")
set(CPACK_DEBIAN_TOOL_PACKAGE_SUGGESTS "jumelaged, xlsx2csv")

set(CPACK_DEBIAN_SERVICE_PACKAGE_NAME jumelaged)
set(CPACK_COMPONENT_SERVICE_DESCRIPTION "startup matchmaking between sister cities, the service
Serves one store of profiles to several people and programs at the same time,
on a unix socket and over TCP.")
set(CPACK_DEBIAN_SERVICE_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SERVICE_PACKAGE_DEPENDS "jumelage (= ${PROJECT_VERSION}), adduser")
set(CPACK_DEBIAN_SERVICE_PACKAGE_CONTROL_EXTRA "${packaging}/postinst" "${packaging}/prerm"
    "${packaging}/postrm" "${packaging}/conffiles")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libjumelage${PROJECT_VERSION_MAJOR})
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "startup matchmaking between sister cities, the client library
What a program links to ask a service for matches, blocking or from its own
event loop.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA "${packaging}/triggers")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libjumelage-dev)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "startup matchmaking between sister cities, for building clients
Header, examples, and files for pkg-config and CMake.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libjumelage${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION}), libmsgpack-dev, libssl-dev")
include(CPack)
