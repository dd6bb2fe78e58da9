// A beat of an AXI4-Stream with the names of the vendor's ap_axis, for a C simulation without the vendor's tools.
#ifndef ERNN_SIM_AP_AXI_SDATA_H
#define ERNN_SIM_AP_AXI_SDATA_H

#include "ap_int.h"

template <int DATA, int USER, int ID, int DEST> struct ap_axis {
    ap_int<DATA> data;
    ap_uint<(DATA + 7) / 8> keep;
    ap_uint<(DATA + 7) / 8> strb;
    ap_uint<USER> user;
    ap_uint<1> last;
    ap_uint<ID> id;
    ap_uint<DEST> dest;
};

#endif
