// SPDX-License-Identifier: Apache-2.0
#include "control/cli/grammar.h"

namespace adit::cli {

const Grammar& config_grammar() {
    static const Grammar grammar{config_global_rows(),
                                 config_isakmp_rows(),
                                 config_profile_rows(),
                                 config_pki_rows(),
                                 config_ipsec_rows(),
                                 config_acl_rows(),
                                 config_interface_rows(),
                                 config_remote_rows(),
                                 config_platform_rows()};
    return grammar;
}

} // namespace adit::cli
