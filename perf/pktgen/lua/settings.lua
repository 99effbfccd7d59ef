-- SPDX-License-Identifier: Apache-2.0
-- What all scripts of this folder test, and how long. Edit this file; the scripts stay as they are.
-- Addresses are those that perf/pktgen/make-config gives the gateways.

return {
    -- One entry a direction. Remove the second for one-way traffic; with a single gateway under test
    -- keep the one that goes into it.
    directions = {
        {
            from = "0", -- Pktgen's port that sends
            to = "1", -- and the one that receives
            gateway_mac = "02:00:00:00:0a:01", -- of gw-a's lan: `show interfaces`
            own_address = "10.1.0.2/24", -- gw-a's next hop for the hosts behind it
            first_source = "198.18.0.1", -- of tunnel 1; tunnel N has the N-th address after it
            first_destination = "198.19.0.1",
        },
        {
            from = "1",
            to = "0",
            gateway_mac = "02:00:00:00:0b:01", -- of gw-b's lan
            own_address = "10.2.0.2/24",
            first_source = "198.19.0.1",
            first_destination = "198.18.0.1",
        },
    },

    tunnels = 1, -- what make-config was given

    -- RFC 2544 9.1, with Ethernet header and FCS. 1418 in place of 1518: the longest that fits a
    -- tunnel with any cipher when the wan has an MTU of 1500. Longer ones are fragmented first.
    frame_sizes = { 64, 128, 256, 512, 1024, 1280, 1418 },

    accepted_loss_percent = 0, -- 0.001 is often reported beside it
    search_seconds = 10, -- of a trial while searching
    confirm_seconds = 60, -- RFC 2544 24: of the trial that counts
    search_step_percent = 0.5, -- of line rate: where the search ends
    settle_seconds = 2, -- RFC 2544 23: for what is still under way
}
