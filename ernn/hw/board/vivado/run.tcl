# Vivado (2022.2 or later): synthesis, placement, routing and reports of the accelerator alone, out of context.
#   vivado -mode batch -source run.tcl -tclargs PART ?SAIF?
# Everything is written to the folder it is called in; SAIF is a recording of the test bench (ernn_tb).
set here [file dirname [file normalize [info script]]]
if {$argc < 1 || $argc > 2} {
    error "usage: run.tcl PART ?SAIF?, got [list $argv]"
}
lassign $argv part saif
if {$saif ne "" && ![file exists $saif]} {
    error "$saif does not exist: record it, or leave it out for power by default activities"
}

# $readmemh finds its images in the folder of the run.
foreach image [glob $here/../memory/*.hex] {
    file copy -force $image .
}
read_verilog [lsort [glob $here/../rtl/*.v]]
read_xdc -mode out_of_context $here/../constraints/ernn.xdc
synth_design -top ernn -part $part -mode out_of_context
write_checkpoint -force synthesized.dcp
report_utilization -file utilization_synthesized.rpt

opt_design
place_design
phys_opt_design
route_design
write_checkpoint -force routed.dcp
report_utilization -file utilization.rpt
report_timing_summary -file timing.rpt

if {$saif ne ""} {
    read_saif -strip_path ernn_tb/dut -out_file saif_unmatched.txt $saif
}
report_power -file power.rpt
