-- SPDX-License-Identifier: Apache-2.0
-- Question: at which rate, for each frame size, does nothing get lost (RFC 2544 26.1)?
--
--     Pktgen:/> load perf/pktgen/lua/rfc2544-throughput.lua
--
-- settings.lua has ports, addresses, sizes and durations.

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path
local settings = require("settings")
local rfc2544 = require("rfc2544")

rfc2544.prepare(settings)
rfc2544.use_tunnels(settings, settings.frame_sizes[1])
rfc2544.bring_up(settings)
rfc2544.print_heading()
for _, octets in ipairs(settings.frame_sizes) do
    rfc2544.use_tunnels(settings, octets)
    rfc2544.print_row(tostring(octets), { octets }, rfc2544.throughput(settings))
end
