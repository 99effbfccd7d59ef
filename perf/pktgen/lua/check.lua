-- SPDX-License-Identifier: Apache-2.0
-- Runs every script of this folder against a Pktgen that is only pretended: one that knows the functions
-- we use, complains about all others, and loses what goes beyond a given rate.
--
--     lua5.3 perf/pktgen/lua/check.lua

local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path
local rfc2544 = require("rfc2544")
local settings = require("settings")

local CAPACITY_PERCENT = 37.3
local FRAMES_PER_PERCENT = 1000
local STATS_SHAPES = { "pktgen 23", "pktgen 26" }

--- A function of Pktgen that does nothing here but insists on a port list.
local function accepts_port(port)
    assert(type(port) == "string" and (port == "all" or tonumber(port)), "no port: " .. tostring(port))
end

local function pretend(shape)
    local rate, samples_file = {}, nil
    local strict = { __index = function(_, name) error("Pktgen has no function " .. name, 2) end }
    local range = setmetatable({}, strict)
    for _, name in ipairs({ "dst_mac", "ip_proto", "src_ip", "dst_ip", "src_port", "dst_port", "pkt_size" }) do
        range[name] = accepts_port
    end
    local fake = setmetatable({ range = range }, strict)
    for _, name in ipairs({ "stop", "start", "set_type", "set_proto", "set_mac", "set_ipaddr", "set_range",
        "process", "latency" }) do
        fake[name] = accepts_port
    end
    fake.screen, fake.clr, fake.delay = function() end, function() end, function() end
    fake.set = function(port, what, value)
        accepts_port(port)
        rate[tonumber(port)] = what == "rate" and value or rate[tonumber(port)]
    end
    fake.seqTable = function(place, port, frame)
        assert(place >= 0 and place < 16 and frame.pktSize >= 64)
        accepts_port(port)
    end
    fake.latsampler_params = function(port, _, _, _, file)
        accepts_port(port)
        samples_file = file
    end
    fake.latsampler = function(_, what)
        if what == "stop" then
            local file = assert(io.open(samples_file, "w"))
            file:write("Latency\n3000\n1000\n2000\n")
            file:close()
        end
    end
    fake.portStats = function(port, kind)
        assert(shape == "pktgen 23" or kind == nil, "portStats, wrong number of arguments")
        local sender, receiver = rate[tonumber(port)] or 0, rate[1 - tonumber(port)] or 0
        local counted = {
            opackets = sender * FRAMES_PER_PERCENT,
            ipackets = math.min(receiver, CAPACITY_PERCENT) * FRAMES_PER_PERCENT,
        }
        return { [tonumber(port)] = shape == "pktgen 23" and counted or { curr = counted } }
    end
    return fake
end

assert(rfc2544.add("198.18.0.255", 1) == "198.18.1.0")
assert(rfc2544.add("198.18.0.1", 65533) == "198.18.255.254")

for _, shape in ipairs(STATS_SHAPES) do
    pktgen = pretend(shape)
    local found = rfc2544.throughput(settings).rate_percent
    assert(found <= CAPACITY_PERCENT and found > CAPACITY_PERCENT - settings.search_step_percent,
        "the search ends at " .. found)
    for _, name in ipairs({ "rfc2544-throughput", "latency", "imix", "tunnels" }) do
        dofile(here .. name .. ".lua")
    end
end
print("all scripts run")
