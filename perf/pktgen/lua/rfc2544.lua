-- SPDX-License-Identifier: Apache-2.0
-- Trials and the search for the throughput (RFC 2544 23, 24, 26.1) on Pktgen-DPDK's Lua interface,
-- versions 22 to 26.

local M = {}

local MILLISECONDS = 1000
-- Preamble, start delimiter and the gap between frames: a wire spends them on each frame.
local WIRE_EXTRA_OCTETS = 20
-- RFC 2544 appendix C.2.6.4; the destination is the echo port.
local SOURCE_PORT, DESTINATION_PORT = 49184, 7
-- Slow enough for IKE to keep up: 1,488 frames of 64 octets a second at 10 Gbps.
local SETUP_RATE_PERCENT, MIN_SETUP_SECONDS, TUNNELS_A_SECOND = 0.01, 10, 500

--- Address arithmetic: "198.18.0.255" + 1 is "198.18.1.0".
function M.add(address, count)
    local a, b, c, d = address:match("^(%d+)%.(%d+)%.(%d+)%.(%d+)$")
    local number = ((a * 256 + b) * 256 + c) * 256 + d + count
    local octets = {}
    for place = 4, 1, -1 do
        octets[place] = string.format("%d", number % 256)
        number = number // 256
    end
    return table.concat(octets, ".")
end

local function each_direction(settings, action)
    for _, direction in ipairs(settings.directions) do
        action(direction)
    end
end

--- Leaves nothing of earlier scripts. Both ports answer ARP; senders send until they are told to stop.
function M.prepare(settings)
    pktgen.screen("off")
    pktgen.stop("all")
    each_direction(settings, function(direction)
        pktgen.process(direction.to, "on")
        local port = direction.from
        pktgen.process(port, "on")
        pktgen.set_range(port, "off")
        pktgen.set(port, "seq_cnt", 0)
        pktgen.set(port, "count", 0)
        pktgen.set_type(port, "ipv4")
        pktgen.set_proto(port, "udp")
        pktgen.set_mac(port, "dst", direction.gateway_mac)
        pktgen.set_ipaddr(port, "src", direction.own_address)
        pktgen.set_ipaddr(port, "dst", direction.first_destination)
    end)
end

local function set_range(port, field, start, last, step)
    local range = pktgen.range[field]
    range(port, "start", start)
    range(port, "min", start)
    range(port, "max", last)
    range(port, "inc", step)
end

--- Every tunnel in turn, all frames of one size.
function M.use_tunnels(settings, frame_octets)
    each_direction(settings, function(direction)
        local port = direction.from
        local source, destination = direction.first_source, direction.first_destination
        local others = settings.tunnels - 1
        local step = others > 0 and "0.0.0.1" or "0.0.0.0"
        pktgen.range.dst_mac(port, "start", direction.gateway_mac)
        pktgen.range.ip_proto(port, "udp")
        set_range(port, "src_ip", source, M.add(source, others), step)
        set_range(port, "dst_ip", destination, M.add(destination, others), step)
        set_range(port, "src_port", SOURCE_PORT, SOURCE_PORT, 0)
        set_range(port, "dst_port", DESTINATION_PORT, DESTINATION_PORT, 0)
        set_range(port, "pkt_size", frame_octets, frame_octets, 0)
        pktgen.set_range(port, "on")
    end)
end

--- The frames of `sizes` in turn, through the first tunnel: Pktgen has places for 16.
function M.use_sizes(settings, sizes)
    each_direction(settings, function(direction)
        local port = direction.from
        for place, frame_octets in ipairs(sizes) do
            pktgen.seqTable(place - 1, port, {
                eth_dst_addr = direction.gateway_mac,
                ip_src_addr = direction.first_source .. "/32",
                ip_dst_addr = direction.first_destination,
                sport = SOURCE_PORT,
                dport = DESTINATION_PORT,
                ethType = "ipv4",
                ipProto = "udp",
                vlanid = 1,
                pktSize = frame_octets,
                gtpu_teid = 0,
            })
        end
        pktgen.set(port, "seq_cnt", #sizes)
    end)
end

--- Since the last clear. Pktgen 25 dropped the second argument and put the counters into `curr`.
local function counters(port)
    local ok, all = pcall(pktgen.portStats, port, "port")
    if not ok then
        all = pktgen.portStats(port)
    end
    local of_port = all[tonumber(port)]
    return of_port.curr or of_port
end

--- Sends at a rate in per cent of line rate.
function M.trial(settings, rate_percent, seconds)
    pktgen.clr()
    each_direction(settings, function(direction)
        pktgen.set(direction.from, "rate", rate_percent)
    end)
    each_direction(settings, function(direction)
        pktgen.start(direction.from)
    end)
    pktgen.delay(seconds * MILLISECONDS)
    each_direction(settings, function(direction)
        pktgen.stop(direction.from)
    end)
    pktgen.delay(settings.settle_seconds * MILLISECONDS)

    local result = { rate_percent = rate_percent, seconds = seconds, sent = 0, received = 0 }
    each_direction(settings, function(direction)
        result.sent = result.sent + counters(direction.from).opackets
        result.received = result.received + counters(direction.to).ipackets
    end)
    local lost = math.max(0, result.sent - result.received)
    result.loss_percent = result.sent > 0 and 100 * lost / result.sent or 100
    return result
end

--- Lets IKE finish before anything is measured: the first packet of a tunnel asks for its SA.
function M.bring_up(settings)
    local seconds = math.max(MIN_SETUP_SECONDS, settings.tunnels // TUNNELS_A_SECOND)
    assert(M.trial(settings, SETUP_RATE_PERCENT, seconds).received > 0,
        "nothing comes through: see `show crypto session` and `show dataplane drops` on the gateways")
end

--- RFC 2544 26.1: the highest rate at which no more than the accepted share is lost, confirmed by a
--- long trial; nil when there is none.
function M.throughput(settings)
    local passes = function(result)
        return result.loss_percent <= settings.accepted_loss_percent
    end
    local low, high, rate = 0, 100, 100
    while high - low > settings.search_step_percent do
        if passes(M.trial(settings, rate, settings.search_seconds)) then
            low = rate
        else
            high = rate
        end
        rate = (low + high) / 2
    end
    while low > 0 do
        local confirmed = M.trial(settings, low, settings.confirm_seconds)
        if passes(confirmed) then
            return confirmed
        end
        low = low - settings.search_step_percent
    end
    return nil
end

--- The mean of the sizes given, with what the wire adds (layer 1) and without (layer 2).
function M.mean_octets(sizes)
    local sum = 0
    for _, octets in ipairs(sizes) do
        sum = sum + octets
    end
    return { layer1 = sum / #sizes + WIRE_EXTRA_OCTETS, layer2 = sum / #sizes }
end

function M.print_heading()
    print(string.format("%7s %9s %9s %9s %9s %10s", "frame", "% of line", "Mpps", "Gbps L2", "Gbps L1", "loss %"))
end

--- One row: what was received, all directions together.
function M.print_row(name, sizes, result)
    if not result then
        print(string.format("%7s no rate passes", name))
        return
    end
    local frames = result.received / result.seconds
    local octets = M.mean_octets(sizes)
    print(string.format("%7s %9.2f %9.3f %9.3f %9.3f %10.5f", name, result.rate_percent, frames / 1e6,
        frames * octets.layer2 * 8 / 1e9, frames * octets.layer1 * 8 / 1e9, result.loss_percent))
end

return M
