# Vitis HLS: simulates, synthesizes, simulates the RTL, and exports it.
#   vitis_hls -f run.tcl
# ERNN_HLS_STEPS in the environment chooses among the steps.
set here [file dirname [file normalize [info script]]]
cd $here
source settings.tcl

set steps {csim csynth cosim export}
if {[info exists ::env(ERNN_HLS_STEPS)]} {
    set steps $::env(ERNN_HLS_STEPS)
}

open_project -reset ernn_hls
set_top ernn
add_files src/ernn.cpp
add_files -tb tb/ernn_tb.cpp -cflags "-I$here/src"
foreach vectors [lsort [glob -nocomplain tb/*.txt]] {
    add_files -tb $vectors
}
open_solution -reset -flow_target vivado solution1
set_part $part
create_clock -period $period_ns -name default

foreach step $steps {
    switch $step {
        csim { csim_design }
        csynth { csynth_design }
        cosim { cosim_design }
        export { export_design -format ip_catalog -ipname ernn }
        default { error "unknown step $step: choose among csim csynth cosim export" }
    }
}
exit
