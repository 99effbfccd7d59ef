-- SPDX-License-Identifier: Apache-2.0
-- Question: how long does a frame take through the tunnel, at the throughput (RFC 2544 26.2) and at 90,
-- 50 and 10 per cent of it?
--
--     Pktgen:/> load perf/pktgen/lua/latency.lua
--
-- Pktgen puts probes with a time stamp between the frames of the load; they have a length of their own.
-- The stamp must come out again, so this needs both gateways. One direction, the first tunnel.

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path
local settings = require("settings")
local rfc2544 = require("rfc2544")

local SHARES_PERCENT = { 100, 90, 50, 10 } -- of the throughput
local FRAME_SIZES = { 128, 512, 1280 } -- a stamp needs more room than 64 octets leave
local PROBE_INTERVAL_US = 1000
local SAMPLES = 10000
local SAMPLES_FILE = os.tmpname()
local NANOSECONDS_PER_US = 1000

-- Loads with one address pair, without ranges: Pktgen makes its probes from that pair.
local direction = settings.directions[1]
local one_way = setmetatable({ directions = { direction }, tunnels = 1 }, { __index = settings })

local function use_one_pair(frame_octets)
    pktgen.set(direction.from, "size", frame_octets)
    pktgen.set_ipaddr(direction.from, "src", direction.first_source .. "/32")
    pktgen.set_ipaddr(direction.from, "dst", direction.first_destination)
end

--- One number a line, nanoseconds, behind a heading. Sorted.
local function read_samples()
    local samples = {}
    for line in io.lines(SAMPLES_FILE) do
        samples[#samples + 1] = tonumber(line)
    end
    table.sort(samples)
    return samples
end

local function percentile_us(samples, percent)
    local place = math.max(1, math.ceil(#samples * percent / 100))
    return samples[place] / NANOSECONDS_PER_US
end

local function measure(frame_octets, share_percent, rate_percent)
    for _, port in ipairs({ direction.from, direction.to }) do
        pktgen.latency(port, "rate", PROBE_INTERVAL_US)
        pktgen.latency(port, "enable")
    end
    pktgen.latsampler_params(direction.to, "simple", SAMPLES, SAMPLES, SAMPLES_FILE)
    pktgen.latsampler(direction.to, "start")
    local result = rfc2544.trial(one_way, rate_percent, settings.confirm_seconds)
    pktgen.latsampler(direction.to, "stop")
    for _, port in ipairs({ direction.from, direction.to }) do
        pktgen.latency(port, "disable")
    end
    local samples = read_samples()
    if #samples == 0 then
        print(string.format("%7d %6d  no probe came back", frame_octets, share_percent))
        return
    end
    print(string.format("%7d %6d %9.2f %9.1f %9.1f %9.1f %9.1f %8d", frame_octets, share_percent,
        result.loss_percent, percentile_us(samples, 0), percentile_us(samples, 50), percentile_us(samples, 99),
        percentile_us(samples, 100), #samples))
end

rfc2544.prepare(one_way)
use_one_pair(FRAME_SIZES[1])
rfc2544.bring_up(one_way)
print(string.format("%7s %6s %9s %9s %9s %9s %9s %8s", "frame", "load %", "loss %", "min us", "median", "99 %",
    "max us", "samples"))
for _, octets in ipairs(FRAME_SIZES) do
    use_one_pair(octets)
    local throughput = rfc2544.throughput(one_way)
    for _, share in ipairs(SHARES_PERCENT) do
        if throughput then
            measure(octets, share, throughput.rate_percent * share / 100)
        end
    end
end
os.remove(SAMPLES_FILE)
