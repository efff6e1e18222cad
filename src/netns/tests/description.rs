use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::unit::files::ReadFile;
use crate::unit::syntax;
use crate::unit::{Env, Finding, Scope};

fn described(texts: &[&str]) -> (Description, Vec<Finding>) {
    described_for(Scope::System, texts)
}

fn described_for(scope: Scope, texts: &[&str]) -> (Description, Vec<Finding>) {
    let files: Vec<ReadFile> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let path: Arc<Path> = Arc::from(Path::new(&format!("/etc/unitcell/{index}")));
            let parsed = Some(syntax::parse(&path, text.as_bytes()).unwrap());
            ReadFile { path, parsed }
        })
        .collect();
    Descriptions::new(scope, Path::new("/"), &Env::default()).read_files("blue", &files)
}

fn good(text: &str) -> Description {
    let (description, findings) = described(&[text]);
    assert!(findings.is_empty(), "{findings:?}");
    description
}

#[track_caller]
fn bad(text: &str, expected: &str) {
    let (_, findings) = described(&[text]);
    let told: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(told.iter().any(|told| told.contains(expected)), "{expected:?} is not in {told:#?}");
}

#[test]
fn every_section_and_key_is_read() {
    let description = good(
        "\
[NetworkNamespace]
DNS=10.200.0.1 fd00::1
Domains=example.test
IPMasquerade=both
Sysctl=net.ipv4.ip_default_ttl=32
Sysctl=net/ipv4/conf/eth0.5/forwarding = 1
Interface=wg0
StopWhenUnneeded=yes
AddressPool=10.0.0.0/8

[Veth]
HostName=ve-%i
Address=10.200.0.2/24 fd00::2/64
HostAddress=10.200.0.1/24
Gateway=10.200.0.1
Bridge=br-cells
MTUBytes=1400
MACAddress=02:00:00:00:00:01
HostNetworkNamespace=router-%i

[Macvlan]
Parent=eth0
Mode=vepa
Address=192.168.1.50/24

[IPVlan]
Parent=eth0

[Route]
Destination=10.9.0.0/16
Gateway=10.200.0.1

[Publish]
ListenStream=127.0.0.1:8080
ConnectStream=8080
",
    );
    let General { sysctls, masquerade, pools, .. } = &description.general;
    assert_eq!(sysctls[1], ("net/ipv4/conf/eth0.5/forwarding".to_owned(), "1".to_owned()));
    assert_eq!((*masquerade, pools.len()), (Families { ipv4: true, ipv6: true }, 1));
    let veth = &description.veths[0];
    assert_eq!((veth.name.as_str(), veth.host_name.as_deref()), ("eth0", Some("ve-blue")));
    assert_eq!((veth.addresses.len(), veth.mtu), (2, Some(1400)));
    assert_eq!(veth.host_namespace.as_deref(), Some("router-blue"));
    assert_eq!(description.macvlans[0].mode, MacvlanMode::Vepa);
    assert_eq!(description.ipvlans[0].name, "ipv0");
    assert_eq!(description.publish[0].connect, "127.0.0.1:8080");
}

#[test]
fn a_later_file_changes_what_an_earlier_one_says() {
    let main = "[NetworkNamespace]\nDNS=10.0.0.1\n[Veth]\nAddress=10.0.0.2/24\nMTUBytes=1400\n";
    let (description, findings) = described(&[
        main,
        "[Veth]\nName=eth0\nAddress=\nAddress=10.0.0.3/24\n[Veth]\nName=eth1\n[NetworkNamespace]\nDNS=10.0.0.9\n",
    ]);
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(description.general.dns.len(), 2);
    assert_eq!(description.veths.len(), 2);
    assert_eq!(description.veths[0].addresses, ["10.0.0.3/24".parse().unwrap()]);
    assert_eq!(description.veths[0].mtu, Some(1400));
    bad("[Veth]\n[Veth]\n", "/etc/unitcell/0:2:1: two interfaces inside are called eth0");
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_a_remedy() {
    bad("[Veht]\n", "0:1:1: there is no section [Veht]; did you mean [Veth]?");
    bad("[Veth]\nAdress=10.0.0.2/24\n", "0:2:1: Adress= is no key of [Veth]; did you mean Address=?");
    bad("[Veth]\nDNS=10.0.0.1\n", "DNS= is no key of [Veth]; it is one of [NetworkNamespace]");
    bad("[Veth]\nAddress=10.0.0.2\n", "0:2:9: Address=10.0.0.2: takes an address with its prefix length");
    bad("[Veth]\nAddress=10.0.0.0/24\n", "not that of the network");
    bad("[Veth]\nHostName=ve-%n\n", "takes %i for the name of the namespace");
    bad("[Veth]\nHostName=a-very-long-interface-name\n", "1 to 15 characters");
    bad("[Veth]\nMACAddress=01:00:00:00:00:00\n", "not that of a group");
    bad("DNS=10.0.0.1\n", "stands before any section");
    bad("[Veth]\nnonsense\n", "the line is no assignment");
    bad("[Route]\nDestination=10.1.2.3/8\nGateway=10.0.0.1\n", "that of this address is 10.0.0.0/8");
    bad("[NetworkNamespace]\nSysctl=kernel.domainname=x\n", "a key below net");
    bad("[NetworkNamespace]\nSysctl=net/../kernel/x=1\n", "a key below net");
    bad("[Publish]\nListenStream=0\nConnectStream=80\n", "takes PORT");
}

#[test]
fn what_contradicts_itself_is_told() {
    bad("[Veth]\nAddress=auto\nGateway=10.0.0.1\n", "Address=auto chooses");
    bad("[Veth]\nHostNetworkNamespace=%i\n", "is this one");
    bad("[Veth]\nAddress=10.0.0.2/24\nGateway=10.1.0.1\n", "is in none of the networks");
    bad("[Macvlan]\n", "[Macvlan] has no Parent=");
    bad("[Route]\nDestination=10.0.0.0/8\n", "neither Gateway= nor Interface=");
    bad("[Route]\nDestination=10.0.0.0/8\nInterface=eth7\n", "there is no interface eth7 inside");
    bad("[Route]\nDestination=::/0\nGateway=10.0.0.1\n", "mixes IPv4 and IPv6");
    bad("[Publish]\nListenStream=80\n", "[Publish] has no ConnectStream=");
    bad("[NetworkNamespace]\nIPMasquerade=ipv6\n[Veth]\nAddress=10.0.0.2/24\n", "no [Veth] has such an address");
}

#[test]
fn no_key_is_there_twice() {
    for section in Section::ALL {
        let names: Vec<_> = Key::of(section).map(|key| key.name).collect();
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "{name} in [{}]", section.name());
        }
    }
}

#[test]
fn what_is_of_the_host_is_no_users() {
    for text in [
        "[Veth]\nAddress=auto\n",
        "[Macvlan]\nParent=eth0\n",
        "[IPVlan]\nParent=eth0\n",
        "[NetworkNamespace]\nInterface=wg0\n",
        "[NetworkNamespace]\nIPMasquerade=ipv4\n",
    ] {
        let (_, findings) = described_for(Scope::User, &[text]);
        let [finding] = &findings[..] else { panic!("{text}: {findings:?}") };
        assert!(finding.message.contains("reaches into another network"), "{finding}");
        assert_eq!(finding.at.as_ref().unwrap().line, if text.starts_with("[Net") { 2 } else { 1 });
    }
    let own = "[NetworkNamespace]\nDNS=10.0.0.1\nIPMasquerade=no\nInterface=\nSysctl=net.ipv4.ip_forward=1\n\
               [Publish]\nListenStream=8080\nConnectStream=80\n";
    let (_, findings) = described_for(Scope::User, &[own]);
    assert!(findings.is_empty(), "{findings:?}");
}
