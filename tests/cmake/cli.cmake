# kpctl, and what of base it brought along.
kp_unit_test(files SOURCES unit/base/test_files.c LINK kp_test_folder)
foreach(name IN ITEMS args commands diff table)
  kp_unit_test(${name} SOURCES unit/cli/test_${name}.c LINK kp_cli)
endforeach()
