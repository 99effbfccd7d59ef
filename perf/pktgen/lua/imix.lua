-- SPDX-License-Identifier: Apache-2.0
-- Question: which rate does a mix of frame sizes reach without loss? 7:4:1 of 64, 594 and 1418 octets,
-- interleaved; the same mix as perf/pktgen/local.
--
--     Pktgen:/> load perf/pktgen/lua/imix.lua
--
-- Pktgen's sequence has 16 places, so the mix goes through the first tunnel only.

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path
local settings = require("settings")
local rfc2544 = require("rfc2544")

local IMIX = { 64, 64, 594, 64, 64, 594, 64, 594, 64, 594, 64, 1418 }

rfc2544.prepare(settings)
rfc2544.use_sizes(settings, IMIX)
rfc2544.bring_up(settings)
rfc2544.print_heading()
rfc2544.print_row("IMIX", IMIX, rfc2544.throughput(settings))
