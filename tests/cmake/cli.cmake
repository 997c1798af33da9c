# kpctl, and what of base it brought along.
kp_unit_test(files SOURCES unit/base/test_files.c LINK kp_test_folder)
