# Compiled objects are kept between builds where ccache is installed: in the
# machine's cache folder, for clones in any folder.
find_program(KP_CCACHE ccache)
if(KP_CCACHE)
  if(DEFINED ENV{KP_CACHE})
    set(cache $ENV{KP_CACHE})
  elseif(DEFINED ENV{XDG_CACHE_HOME})
    set(cache $ENV{XDG_CACHE_HOME}/kproxy)
  else()
    set(cache $ENV{HOME}/.cache/kproxy)
  endif()
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_DIR=${cache}/ccache CCACHE_MAXSIZE=1G
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${KP_CCACHE})
endif()
