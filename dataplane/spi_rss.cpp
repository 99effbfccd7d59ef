// SPDX-License-Identifier: Apache-2.0
#include "dataplane/spi_rss.h"

#include <numeric>
#include <rte_byteorder.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <span>
#include <string_view>
#include <vector>

namespace adit::dataplane {

namespace {

constexpr std::uint16_t kNattPort = 4500; // RFC 3948 2.1

rte_flow_item item(rte_flow_item_type type) {
    return {type, nullptr, nullptr, nullptr};
}

/// Intel's drivers want no queues (all), NVIDIA's want them named.
bool create_rule(std::uint16_t port,
                 const rte_flow_item* pattern,
                 std::span<const std::uint16_t> to) {
    rte_flow_action_rss rss{};
    rss.func = RTE_ETH_HASH_FUNCTION_DEFAULT;
    rss.types = RTE_ETH_RSS_ESP;
    rss.queue_num = static_cast<std::uint32_t>(to.size());
    rss.queue = to.empty() ? nullptr : to.data();
    const rte_flow_action actions[] = {{RTE_FLOW_ACTION_TYPE_RSS, &rss},
                                       {RTE_FLOW_ACTION_TYPE_END, nullptr}};
    rte_flow_attr attributes{};
    attributes.ingress = 1;
    rte_flow_error error{};
    return rte_flow_validate(port, &attributes, pattern, actions, &error) == 0 &&
           rte_flow_create(port, &attributes, pattern, actions, &error) != nullptr;
}

bool create_either(std::uint16_t port,
                   const rte_flow_item* pattern,
                   std::span<const std::uint16_t> queues) {
    return create_rule(port, pattern, {}) || create_rule(port, pattern, queues);
}

/// ice and iavf take patterns without values only; "udp, esp" means port 4500 to their hardware.
/// Elsewhere such a rule could catch all of UDP.
bool udp_esp_means_natt(std::string_view driver) {
    return driver == "net_ice" || driver == "net_iavf";
}

} // namespace

SpiRss spread_by_spi(std::uint16_t port, std::uint16_t rx_queues, const char* driver) {
    if (rx_queues < 2)
        return {};
    std::vector<std::uint16_t> queues(rx_queues);
    std::iota(queues.begin(), queues.end(), std::uint16_t{0});

    const rte_flow_item esp[] = {item(RTE_FLOW_ITEM_TYPE_ETH),
                                 item(RTE_FLOW_ITEM_TYPE_IPV4),
                                 item(RTE_FLOW_ITEM_TYPE_ESP),
                                 item(RTE_FLOW_ITEM_TYPE_END)};
    rte_flow_item_udp natt_port{}, port_mask{};
    natt_port.hdr.dst_port = rte_cpu_to_be_16(kNattPort);
    port_mask.hdr.dst_port = 0xffff;
    rte_flow_item natt[] = {item(RTE_FLOW_ITEM_TYPE_ETH),
                            item(RTE_FLOW_ITEM_TYPE_IPV4),
                            item(RTE_FLOW_ITEM_TYPE_UDP),
                            item(RTE_FLOW_ITEM_TYPE_ESP),
                            item(RTE_FLOW_ITEM_TYPE_END)};
    if (!udp_esp_means_natt(driver)) {
        natt[2].spec = &natt_port;
        natt[2].mask = &port_mask;
    }
    return {.esp = create_either(port, esp, queues), .natt = create_either(port, natt, queues)};
}

} // namespace adit::dataplane
