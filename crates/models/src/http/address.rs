//! Which addresses are never called.
//!
//! A database server can often reach what its users cannot. Services that give credentials to whoever
//! asks from the same machine are the worst of it: clouds have them at link-local addresses. Loopback
//! and private addresses are allowed, because that is where models of one's own run.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses a URL may lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// All that are not refused.
    Anywhere,
    /// Only loopback addresses.
    ThisHost,
}

/// Addresses at which clouds give away credentials, besides the link-local ones: Alibaba Cloud, Azure,
/// Oracle Cloud.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The same: AWS, Google Cloud, Oracle Cloud, Scaleway.
const METADATA_V6: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
    Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42),
];

/// Why `address` is not called, if so.
pub(crate) fn refusal(address: IpAddr, reach: Reach) -> Option<&'static str> {
    let refused = match unwrapped(address) {
        IpAddr::V4(v4) => refusal_v4(v4),
        IpAddr::V6(v6) => refusal_v6(v6),
    };
    match reach {
        Reach::ThisHost if !is_loopback(address) => {
            Some("is not of this host, and the option \"allow_http\" is not set")
        }
        Reach::ThisHost | Reach::Anywhere => refused,
    }
}

/// Whether `address` is of this host.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn refusal_v4(address: Ipv4Addr) -> Option<&'static str> {
    let first = address.octets()[0];
    if address.is_link_local() {
        Some("is link-local, as metadata services of clouds are")
    } else if METADATA_V4.contains(&address) {
        Some("is of a metadata service")
    } else if first == 0 {
        Some("is unspecified")
    } else if first >= 224 {
        Some("is multicast or reserved")
    } else {
        None
    }
}

fn refusal_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_unicast_link_local() {
        Some("is link-local, as metadata services of clouds are")
    } else if METADATA_V6.contains(&address) {
        Some("is of a metadata service")
    } else if address.is_unspecified() {
        Some("is unspecified")
    } else if address.is_multicast() {
        Some("is multicast or reserved")
    } else {
        None
    }
}

/// The IPv4 address that an IPv6 address leads to, if it does: mapped, compatible (RFC 4291), of a
/// NAT64 (RFC 6052, RFC 8215), or of 6to4 (RFC 3056).
fn unwrapped(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    };
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] => v4(g, h),
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0] if g != 0 => v4(g, h),
        [0x64, 0xff9b, 0, 0, 0, 0] | [0x64, 0xff9b, 1, ..] => v4(g, h),
        [0x2002, high, low, ..] => v4(high, low),
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(address: &str, reach: Reach) -> bool {
        refusal(address.parse().expect(address), reach).is_some()
    }

    #[test]
    fn metadata_services_are_refused_in_all_forms() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "::ffff:169.254.169.254",
            "::ffff:a9fe:a9fe",
            "::169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "fe80::1",
            "febf::1",
            "100.100.100.200",
            "::ffff:100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::254",
            "fd20:ce::254",
            "fd00:c1::a9fe:a9fe",
            "fd00:42::42",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "::ffff:0.0.0.0",
            "224.0.0.1",
            "239.1.1.1",
            "255.255.255.255",
            "240.0.0.1",
            "ff02::1",
        ] {
            assert!(is_refused(address, Reach::Anywhere), "{address}");
            assert!(is_refused(address, Reach::ThisHost), "{address}");
        }
    }

    #[test]
    fn models_of_ones_own_are_allowed() {
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "127.255.0.1"] {
            assert!(!is_refused(address, Reach::Anywhere), "{address}");
            assert!(!is_refused(address, Reach::ThisHost), "{address}");
        }
        for address in [
            "10.0.0.1",
            "192.168.1.1",
            "172.16.0.1",
            "fd12::1",
            "1.1.1.1",
            "2606:4700::1111",
            "100.64.0.1",
        ] {
            assert!(!is_refused(address, Reach::Anywhere), "{address}");
            assert!(is_refused(address, Reach::ThisHost), "{address}");
        }
    }
}
