//! Networks and what belongs to each: the longest that has an address counts.

use std::net::IpAddr;

use ipnet::IpNet;

use super::client::{canonical, number};

const NONE: u32 = u32::MAX;

/// A binary trie for each family. Made once, never changed; a node for each bit of a prefix.
#[derive(Clone, Debug)]
pub struct Networks {
    /// The first two are the roots of IPv4 and IPv6.
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    children: [u32; 2],
    value: u32,
}

const EMPTY: Node = Node { children: [NONE; 2], value: NONE };

impl Networks {
    /// The networks, each told by its place. Of two that are the same the later counts. IPv4 networks within
    /// `::ffff:0:0/96` are not IPv4 networks.
    #[must_use]
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        let mut nodes = vec![EMPTY; 2];
        for (network, value) in networks.into_iter().zip(0u32..) {
            let (number, width) = number(network.network());
            let mut node = root(network.network());
            for bit in 0..network.prefix_len() {
                let side = side(number, width, bit);
                let next = match nodes[node].children[side] {
                    NONE => {
                        let next = nodes.len();
                        nodes.push(EMPTY);
                        nodes[node].children[side] = next as u32;
                        next
                    }
                    next => next as usize,
                };
                node = next;
            }
            nodes[node].value = value;
        }
        Self { nodes }
    }

    /// The longest network that has the address, and how many of the address's first bits had to be looked at to
    /// know that it is.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> (Option<usize>, u8) {
        let address = canonical(address);
        let (number, width) = number(address);
        let mut node = self.nodes[root(address)];
        let mut found = node.value;
        for bit in 0..width {
            match node.children[side(number, width, bit)] {
                NONE if node.children == [NONE; 2] => return (value(found), bit),
                NONE => return (value(found), bit + 1),
                next => node = self.nodes[next as usize],
            }
            if node.value != NONE {
                found = node.value;
            }
        }
        (value(found), width)
    }
}

fn value(found: u32) -> Option<usize> {
    (found != NONE).then_some(found as usize)
}

fn root(address: IpAddr) -> usize {
    usize::from(address.is_ipv6())
}

fn side(number: u128, width: u8, bit: u8) -> usize {
    usize::from(number >> (width - 1 - bit) & 1 != 0)
}
