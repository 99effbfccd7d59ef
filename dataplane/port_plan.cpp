// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port_plan.h"

#include <algorithm>

namespace adit::dataplane {

namespace {

constexpr std::uint64_t kRssAddresses =
    RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_FRAG_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_OTHER;
/// Fragments are not among them: all of a datagram hash by addresses and meet in one queue.
constexpr std::uint64_t kRssPorts = RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV4_TCP;

class Words {
  public:
    void add_if(bool there, const char* word) {
        if (there)
            text_ += (text_.empty() ? "" : " ") + std::string(word);
    }

    [[nodiscard]] std::string or_none() const { return text_.empty() ? "none" : text_; }

  private:
    std::string text_;
};

} // namespace

QueueCounts choose_queues(QueueCounts most, RxSpread spread, std::uint16_t workers) {
    const auto at_most = [&](std::uint16_t limit) {
        return std::max<std::uint16_t>(std::min(workers, limit), 1);
    };
    return {spread == RxSpread::OverAll ? most.rx : at_most(most.rx), at_most(most.tx)};
}

std::uint32_t largest_mtu(const rte_eth_dev_info& info) {
    // As ethdev reckons: a driver that names no MTU limit has one by its frame length.
    const bool names_limit = info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu;
    if (names_limit)
        return info.max_mtu;
    constexpr std::uint32_t kOverheadBytes = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
    const std::uint32_t by_length =
        info.max_rx_pktlen > kOverheadBytes ? info.max_rx_pktlen - kOverheadBytes : 0;
    return std::min<std::uint32_t>(by_length, info.max_mtu);
}

PortOffloads choose_offloads(const rte_eth_dev_info& info) {
    return {.rx_ipv4_checksum = (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0,
            .fast_free = (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE) != 0};
}

std::uint64_t choose_rss_types(const rte_eth_dev_info& info, std::uint16_t rx_queues) {
    const std::uint64_t wanted = kRssAddresses | kRssPorts | RTE_ETH_RSS_ESP;
    return rx_queues > 1 ? info.flow_type_rss_offloads & wanted : 0;
}

rte_eth_conf port_config(const PortOffloads& offloads, std::uint64_t rss_types) {
    rte_eth_conf conf{};
    if (offloads.rx_ipv4_checksum)
        conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_IPV4_CKSUM;
    if (offloads.fast_free)
        conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
    if (rss_types != 0) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = rss_types;
    }
    return conf;
}

std::string describe_rss(std::uint64_t types, const SpiRss& spi) {
    Words words;
    words.add_if((types & kRssAddresses) != 0, "ip");
    words.add_if((types & kRssPorts) != 0, "ports");
    words.add_if((types & RTE_ETH_RSS_ESP) != 0 || spi.esp, "esp-spi");
    words.add_if(spi.natt, "natt-spi");
    return words.or_none();
}

std::string describe_offloads(const PortOffloads& offloads) {
    Words words;
    words.add_if(offloads.rx_ipv4_checksum, "rx-checksum");
    words.add_if(offloads.fast_free, "fast-free");
    return words.or_none();
}

} // namespace adit::dataplane
