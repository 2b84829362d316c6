# Starts an OSTree deployment from U-Boot: boot.scr on the first partition, a FAT file system.
#
# uEnv.txt, which OSTree writes, has the kernel, ramdisk and arguments of the newest deployment, and
# those of the one before with a 2 behind their names.  bootstate.env beside this script counts the
# tries since a system last said that it is up (it writes bootcount=0).  After as many tries as
# ostree_boot_limit says the second set is started, after as many of those the first one again; the
# system is told by ostree.fallback=TRY among its arguments.  What cannot be loaded is not tried.
# Starts of a deployment that is alone are not counted.
#
# A board may set before, or the system in usr/lib/ostree-boot/uEnv.txt:
#   ostree_boot_limit     1 to 4; default 3
#   ostree_boot_part      partition with /boot; default: the first that has /boot/loader/uEnv.txt
#   ostree_kernel_addr ostree_ramdisk_addr ostree_fdt_addr
#                         default: kernel_addr_r ramdisk_addr_r fdt_addr_r
#   ostree_bootcmd        default: zboot on x86, booti on arm64, bootz on arm
#   fdtfile               name of the device tree below the fdtdir of uEnv.txt; where that has neither
#                         fdtdir nor fdt_file, U-Boot's own device tree is passed on
#   rollback              1: start the second set, as altbootcmd of bootcount would ask for

if test -z "${devtype}"; then setenv devtype mmc; fi
if test -z "${devnum}"; then setenv devnum 0; fi
if test -n "${distro_bootpart}"; then setenv ostree_state ${devnum}:${distro_bootpart}; else setenv ostree_state ${devnum}:1; fi

# ---- where things go in memory; text is read to where the ramdisk comes later

if test "${arch}" = "x86"; then
  # What U-Boot has as ramdisk_addr_r is where a large kernel unpacks itself.
  if test -z "${ostree_kernel_addr}"; then setenv ostree_kernel_addr 0x02000000; fi
  if test -z "${ostree_ramdisk_addr}"; then setenv ostree_ramdisk_addr 0x08000000; fi
  if test -z "${ostree_bootcmd}"; then setenv ostree_bootcmd zboot; fi
fi
if test -z "${ostree_kernel_addr}"; then setenv ostree_kernel_addr ${kernel_addr_r}; fi
if test -z "${ostree_ramdisk_addr}"; then setenv ostree_ramdisk_addr ${ramdisk_addr_r}; fi
if test -z "${ostree_fdt_addr}"; then setenv ostree_fdt_addr ${fdt_addr_r}; fi
if test -z "${ostree_bootcmd}"; then
  if test "${cpu}" = "armv8"; then setenv ostree_bootcmd booti; else setenv ostree_bootcmd bootz; fi
fi

# ---- which partition

setenv ostree_part
for part in ${ostree_boot_part} 2 1 3 4 5 6 7 8; do
  if test -z "${ostree_part}"; then
    if test -e ${devtype} ${devnum}:${part} /boot/loader/uEnv.txt; then setenv ostree_part ${part}; fi
  fi
done

# ---- what to start; a second set of an earlier uEnv.txt must not survive

for suffix in "" 2; do
  setenv kernel_image${suffix}
  setenv ramdisk_image${suffix}
  setenv fdt_file${suffix}
  setenv fdtdir${suffix}
  setenv bootargs${suffix}
done
if load ${devtype} ${devnum}:${ostree_part} ${ostree_ramdisk_addr} /boot/loader/uEnv.txt; then
  env import -t ${ostree_ramdisk_addr} ${filesize}
else
  echo "ostree: no uEnv.txt"
fi

# ---- count this try; not every U-Boot can calculate

setenv bootcount 0
if load ${devtype} ${ostree_state} ${ostree_ramdisk_addr} bootstate.env; then
  env import -t ${ostree_ramdisk_addr} ${filesize} bootcount
fi
if itest ${bootcount} == 0; then setenv ostree_next 1
elif itest ${bootcount} == 1; then setenv ostree_next 2
elif itest ${bootcount} == 2; then setenv ostree_next 3
elif itest ${bootcount} == 3; then setenv ostree_next 4
elif itest ${bootcount} == 4; then setenv ostree_next 5
elif itest ${bootcount} == 5; then setenv ostree_next 6
elif itest ${bootcount} == 6; then setenv ostree_next 7
elif itest ${bootcount} == 7; then setenv ostree_next 8
else setenv ostree_next 1; fi
if itest ${ostree_boot_limit} == 1; then setenv ostree_most 2
elif itest ${ostree_boot_limit} == 2; then setenv ostree_most 4
elif itest ${ostree_boot_limit} == 4; then setenv ostree_most 8
else setenv ostree_boot_limit 3; setenv ostree_most 6; fi
if itest ${ostree_next} > ${ostree_most}; then setenv ostree_next 1; fi
# Where there is nothing to go back to, tries are no fault of the deployment that comes next.
if test -z "${kernel_image2}"; then setenv ostree_next 0; fi
setenv bootcount ${ostree_next}
mw.b ${ostree_ramdisk_addr} 0 0x1000
env export -t -s 0x1000 ${ostree_ramdisk_addr} bootcount
if fatwrite ${devtype} ${ostree_state} ${ostree_ramdisk_addr} bootstate.env ${filesize}; then true; else
  echo "ostree: cannot save the number of tries"
fi
echo "ostree: try ${bootcount}, limit ${ostree_boot_limit}"

setenv ostree_second 0
if itest ${bootcount} > ${ostree_boot_limit}; then setenv ostree_second 1; fi
if test "${rollback}" = "1"; then setenv ostree_second 1; fi
if test -z "${kernel_image2}"; then
  if test "${ostree_second}" = "1"; then echo "ostree: there is no second deployment"; fi
  setenv ostree_second 0
fi

# ---- load and start; what fails to load leads to the other set

setenv ostree_use_second 'echo "ostree: FALLBACK"; setenv kernel_image ${kernel_image2}; setenv ramdisk_image ${ramdisk_image2}; setenv fdt_file ${fdt_file2}; setenv fdtdir ${fdtdir2}; setenv bootargs "${bootargs2} ostree.fallback=${bootcount}"'
setenv ostree_load_ramdisk 'if test -n "${ramdisk_image}"; then load ${devtype} ${devnum}:${ostree_part} ${ostree_ramdisk_addr} ${ramdisk_image}; else true; fi'
setenv ostree_load_fdt 'setenv ostree_fdt ${fdtcontroladdr}; if test -z "${fdt_file}" -a -n "${fdtdir}" -a -n "${fdtfile}"; then setenv fdt_file ${fdtdir}/${fdtfile}; fi; if test -n "${fdt_file}"; then setenv ostree_fdt ${ostree_fdt_addr}; load ${devtype} ${devnum}:${ostree_part} ${ostree_fdt_addr} ${fdt_file}; else true; fi'
setenv ostree_start 'if test "${ostree_bootcmd}" = "zboot"; then zboot ${ostree_kernel_addr} ${ostree_kernel_size} ${ostree_ramdisk_addr} ${ostree_ramdisk_size}; elif test -n "${ramdisk_image}"; then ${ostree_bootcmd} ${ostree_kernel_addr} ${ostree_ramdisk_addr}:${ostree_ramdisk_size} ${ostree_fdt}; else ${ostree_bootcmd} ${ostree_kernel_addr} - ${ostree_fdt}; fi'
setenv ostree_boot 'echo "ostree: kernel ${kernel_image}"; echo "ostree: ramdisk ${ramdisk_image}"; echo "ostree: arguments ${bootargs}"; setenv ostree_ramdisk_size 0; if load ${devtype} ${devnum}:${ostree_part} ${ostree_kernel_addr} ${kernel_image}; then setenv ostree_kernel_size ${filesize}; if run ostree_load_fdt; then if run ostree_load_ramdisk; then setenv ostree_ramdisk_size ${filesize}; run ostree_start; fi; fi; fi'

if test "${ostree_second}" = "1"; then run ostree_use_second; fi
run ostree_boot
echo "ostree: the kernel could not be started"
if test "${ostree_second}" = "0" -a -n "${kernel_image2}"; then
  run ostree_use_second
  run ostree_boot
fi
echo "ostree: nothing could be started"
sleep 1
reset
