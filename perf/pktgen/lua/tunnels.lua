-- SPDX-License-Identifier: Apache-2.0
-- Question: what do many tunnels cost? The throughput with 1, 10, 100 ... of the tunnels that
-- settings.lua names, all in turn, so that keys and counters are cold in the cache.
--
--     Pktgen:/> load perf/pktgen/lua/tunnels.lua

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path
local settings = require("settings")
local rfc2544 = require("rfc2544")

local FRAME_OCTETS = 64 -- what a tunnel costs shows best when a packet costs least

local function with_tunnels(count)
    return setmetatable({ tunnels = count }, { __index = settings })
end

rfc2544.prepare(settings)
rfc2544.use_tunnels(settings, FRAME_OCTETS)
rfc2544.bring_up(settings)
print(FRAME_OCTETS .. "-octet frames; the first column is the number of tunnels")
rfc2544.print_heading()
local count = 1
while true do
    local some = with_tunnels(math.min(count, settings.tunnels))
    rfc2544.use_tunnels(some, FRAME_OCTETS)
    rfc2544.print_row(tostring(some.tunnels), { FRAME_OCTETS }, rfc2544.throughput(some))
    if count >= settings.tunnels then
        break
    end
    count = count * 10
end
