# Vivado (2022.2 or later): a bitstream with processing system, DMA and accelerator; run package_ip.tcl before it.
#   vivado -mode batch -source block_design.tcl -tclargs pynq-z2
# Leaves build/BOARD/ernn.bit, ernn.hwh and reports. Another board is one line of `boards`.
set here [file dirname [file normalize [info script]]]
cd $here
source settings.tcl

# part, board files (used where Vivado has them), family
set boards {
    pynq-z2 {xc7z020clg400-1 tul.com.tw:pynq-z2 zynq}
    zcu102 {xczu9eg-ffvb1156-2-e xilinx.com:zcu102 zynqmp}
}
set board [lindex $argv 0]
if {![dict exists $boards $board]} {
    error "unknown board [list $board]: choose among [dict keys $boards]"
}
lassign [dict get $boards $board] part board_part family

create_project -force ernn build/$board -part $part
set found [lindex [lsort [get_board_parts -quiet $board_part:*]] end]
if {$found ne ""} {
    set_property board_part $found [current_project]
} else {
    puts "no board files of $board_part: the processing system keeps its defaults, as set up by the board's boot image"
}
set_property ip_repo_paths build/ip [current_project]
update_ip_catalog
create_bd_design ernn_system

proc cell {name vlnv args} {
    create_bd_cell -type ip -vlnv $vlnv $name
    if {[llength $args]} {
        set_property -dict $args [get_bd_cells $name]
    }
}
proc bus {from to} {
    connect_bd_intf_net [get_bd_intf_pins $from] [get_bd_intf_pins $to]
}
proc wire {from args} {
    foreach to $args {
        connect_bd_net [get_bd_pins $from] [get_bd_pins $to]
    }
}

# Processing system: one master for registers, one slave for the DMA, one clock, interrupts.
set preset [expr {$found ne ""}]
if {$family eq "zynq"} {
    cell ps xilinx.com:ip:processing_system7:*
    apply_bd_automation -rule xilinx.com:bd_rule:processing_system7 \
        -config [list make_external {FIXED_IO, DDR} apply_board_preset $preset Master Disable Slave Disable] \
        [get_bd_cells ps]
    set_property -dict [list \
        CONFIG.PCW_USE_M_AXI_GP0 1 \
        CONFIG.PCW_USE_S_AXI_HP0 1 \
        CONFIG.PCW_USE_FABRIC_INTERRUPT 1 \
        CONFIG.PCW_IRQ_F2P_INTR 1 \
        CONFIG.PCW_FPGA0_PERIPHERAL_FREQMHZ $clock_mhz \
    ] [get_bd_cells ps]
    lassign {ps/FCLK_CLK0 ps/FCLK_RESET0_N ps/M_AXI_GP0 ps/S_AXI_HP0 ps/IRQ_F2P} clock reset master memory interrupts
    set clocked {ps/M_AXI_GP0_ACLK ps/S_AXI_HP0_ACLK}
    set address_bits 32
} else {
    cell ps xilinx.com:ip:zynq_ultra_ps_e:*
    apply_bd_automation -rule xilinx.com:bd_rule:zynq_ultra_ps_e -config [list apply_board_preset $preset] \
        [get_bd_cells ps]
    set_property -dict [list \
        CONFIG.PSU__USE__M_AXI_GP0 1 \
        CONFIG.PSU__USE__M_AXI_GP1 0 \
        CONFIG.PSU__USE__M_AXI_GP2 0 \
        CONFIG.PSU__USE__S_AXI_GP2 1 \
        CONFIG.PSU__USE__IRQ0 1 \
        CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ $clock_mhz \
    ] [get_bd_cells ps]
    lassign {ps/pl_clk0 ps/pl_resetn0 ps/M_AXI_HPM0_FPD ps/S_AXI_HP0_FPD ps/pl_ps_irq0} \
        clock reset master memory interrupts
    set clocked {ps/maxihpm0_fpd_aclk ps/saxihp0_fpd_aclk}
    set address_bits 40
}

# The names ernn_0 and axi_dma_0 are those that the driver looks for.
cell ernn_0 ernn:user:ernn_board:1.0
cell axi_dma_0 xilinx.com:ip:axi_dma:* CONFIG.c_include_sg 0 CONFIG.c_sg_include_stscntrl_strm 0 \
    CONFIG.c_sg_length_width 26 CONFIG.c_addr_width $address_bits CONFIG.c_m_axis_mm2s_tdata_width 32
cell registers xilinx.com:ip:smartconnect:* CONFIG.NUM_SI 1 CONFIG.NUM_MI 2
cell transfers xilinx.com:ip:smartconnect:* CONFIG.NUM_SI 2 CONFIG.NUM_MI 1
cell resets xilinx.com:ip:proc_sys_reset:*
cell irq xilinx.com:ip:xlconcat:* CONFIG.NUM_PORTS 2

bus $master registers/S00_AXI
bus registers/M00_AXI ernn_0/s_axil
bus registers/M01_AXI axi_dma_0/S_AXI_LITE
bus axi_dma_0/M_AXIS_MM2S ernn_0/s_axis
bus ernn_0/m_axis axi_dma_0/S_AXIS_S2MM
bus axi_dma_0/M_AXI_MM2S transfers/S00_AXI
bus axi_dma_0/M_AXI_S2MM transfers/S01_AXI
bus transfers/M00_AXI $memory

wire $clock {*}$clocked ernn_0/aclk registers/aclk transfers/aclk resets/slowest_sync_clk \
    axi_dma_0/s_axi_lite_aclk axi_dma_0/m_axi_mm2s_aclk axi_dma_0/m_axi_s2mm_aclk
wire $reset resets/ext_reset_in
wire resets/peripheral_aresetn ernn_0/aresetn axi_dma_0/axi_resetn registers/aresetn transfers/aresetn
wire axi_dma_0/mm2s_introut irq/In0
wire axi_dma_0/s2mm_introut irq/In1
wire irq/dout $interrupts

assign_bd_address
validate_bd_design
save_bd_design

make_wrapper -files [get_files ernn_system.bd] -top -import
set_property top ernn_system_wrapper [current_fileset]
launch_runs impl_1 -to_step write_bitstream -jobs 2
wait_on_run impl_1
if {[get_property PROGRESS [get_runs impl_1]] ne "100%"} {
    error "no bitstream: see build/$board/ernn.runs"
}
open_run impl_1
report_utilization -file build/$board/utilization.rpt
report_timing_summary -file build/$board/timing.rpt
report_power -file build/$board/power.rpt
file copy -force build/$board/ernn.runs/impl_1/ernn_system_wrapper.bit build/$board/ernn.bit
file copy -force build/$board/ernn.gen/sources_1/bd/ernn_system/hw_handoff/ernn_system.hwh build/$board/ernn.hwh
set slack [get_property STATS.WNS [get_runs impl_1]]
if {$slack < 0} {
    error "the clock of $clock_mhz MHz is not met, worst slack $slack ns: the bitstream is not to be trusted"
}
puts "build/$board/ernn.bit: $clock_mhz MHz with a slack of $slack ns"
