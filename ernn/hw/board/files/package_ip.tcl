# Vivado (2022.2 or later): the accelerator with its adapter as an IP, in build/ip.
#   vivado -mode batch -source package_ip.tcl
set here [file dirname [file normalize [info script]]]
cd $here

create_project -force ernn_ip build/package
add_files -norecurse [concat [lsort [glob ../rtl/*.v]] [lsort [glob *.v]]]
add_files -norecurse [lsort [glob ../memory/*.hex]]
set_property file_type {Memory Initialization Files} [get_files *.hex]
set_property top ernn_board [current_fileset]
update_compile_order -fileset sources_1

ipx::package_project -root_dir build/ip -vendor ernn -library user -taxonomy /UserIP -import_files -force
set core [ipx::current_core]
set_property name ernn_board $core
set_property display_name {E-RNN accelerator} $core
set_property version 1.0 $core
set_property supported_families {zynq Production zynquplus Production} $core
foreach bus {s_axis m_axis s_axil} {
    ipx::associate_bus_interfaces -busif $bus -clock aclk $core
}
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::check_integrity $core
ipx::save_core $core
close_project
