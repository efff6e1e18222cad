//! `Address=auto`: which small network of a pool is whose.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::hash::hash;

/// Where networks are chosen from by default; the second one says "cell" in its middle.
const DEFAULTS: [&str; 2] = ["10.200.0.0/16", "fd63:656c:6c00::/48"];

/// The two ends of a pair in a network of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ends {
    /// The first address of the network, for the end outside.
    pub outside: IpNet,
    /// The second one.
    pub inside: IpNet,
}

impl Ends {
    /// Of a network with room for both.
    pub fn of(network: IpNet) -> Ends {
        let at = |number| IpNet::new(add(network.network(), number), network.prefix_len()).unwrap_or(network);
        Ends { outside: at(1), inside: at(2) }
    }

    /// Their network.
    pub fn network(&self) -> IpNet {
        self.inside.trunc()
    }
}

/// The pools of a family: those that are given, or the default one.
pub fn pools(given: &[IpNet], ipv4: bool) -> Vec<IpNet> {
    let of_family = |net: &IpNet| net.addr().is_ipv4() == ipv4;
    let given: Vec<IpNet> = given.iter().copied().filter(of_family).collect();
    match given.is_empty() {
        true => DEFAULTS.iter().filter_map(|text| text.parse().ok()).filter(of_family).collect(),
        false => given,
    }
}

/// A /30 or /126 of the pools that is not taken: which one is tried first depends on the `key`
/// alone, so that the same name has the same addresses wherever nobody was there before.
pub fn choose(pools: &[IpNet], key: &str, mut taken: impl FnMut(IpNet) -> bool) -> Option<Ends> {
    pools.iter().find_map(|&pool| {
        let count = networks(pool);
        let start = u128::from(hash(key)) % count;
        (0..count).map(|step| network(pool, (start + step) % count)).find(|&net| !taken(net)).map(Ends::of)
    })
}

/// How many networks for two ends there are in a pool.
fn networks(pool: IpNet) -> u128 {
    1 << (pool.max_prefix_len() - 2).saturating_sub(pool.prefix_len())
}

fn network(pool: IpNet, number: u128) -> IpNet {
    IpNet::new(add(pool.network(), number << 2), pool.max_prefix_len() - 2).unwrap_or(pool)
}

fn add(address: IpAddr, number: u128) -> IpAddr {
    match address {
        IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits().wrapping_add(number as u32)).into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits().wrapping_add(number)).into(),
    }
}

/// Do the two have an address in common?
pub fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_are_the_first_two_addresses() {
        let ends = Ends::of("10.200.0.4/30".parse().unwrap());
        assert_eq!(
            (ends.outside.to_string(), ends.inside.to_string()),
            ("10.200.0.5/30".into(), "10.200.0.6/30".into())
        );
        assert_eq!(ends.network().to_string(), "10.200.0.4/30");
        let ends = Ends::of("fd00::fffc/126".parse().unwrap());
        assert_eq!(ends.inside.to_string(), "fd00::fffe/126");
    }

    #[test]
    fn a_pool_is_used_up_and_then_there_is_none() {
        let pools = ["10.0.0.0/28".parse().unwrap()];
        let mut taken = HashSet::new();
        while let Some(ends) = choose(&pools, "blue", |net| taken.contains(&net)) {
            assert!(taken.insert(ends.network()), "{ends:?} a second time");
        }
        assert_eq!(taken.len(), 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_thousand_names_have_a_thousand_networks(
            (prefix, first, step) in ("[a-z][a-z0-9_.:-]{0,20}", any::<u32>(), 1u32..1000),
            given in prop_oneof![Just(vec![]), Just(vec!["10.9.0.0/20".parse::<IpNet>().unwrap()])],
        ) {
            let names: Vec<String> =
                (0..1000).map(|count| format!("{prefix}{}", first.wrapping_add(count * step))).collect();
            for ipv4 in [true, false] {
                let pools = pools(&given, ipv4);
                let mut taken = HashSet::new();
                for name in &names {
                    let first = choose(&pools, name, |_| false).unwrap();
                    prop_assert_eq!(first, choose(&pools, name, |_| false).unwrap(), "the same each time");
                    let ends = choose(&pools, name, |net| taken.contains(&net)).unwrap();
                    prop_assert!(pools.iter().any(|pool| pool.contains(&ends.network())));
                    prop_assert_eq!(ends.outside.trunc(), ends.network());
                    prop_assert_eq!(ends.network().prefix_len(), if ipv4 { 30 } else { 126 });
                    prop_assert!(taken.insert(ends.network()), "{} has what another one has", name);
                }
                prop_assert_eq!(taken.len(), names.len());
            }
        }
    }
}
