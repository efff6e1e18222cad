//! Named network namespaces beside `ip` and `nft`: one with a pair of links, addresses, a default route
//! and NAT, and 1,000 plain ones.

use std::fs;
use std::time::Duration;

use nix::sched::CloneFlags;

use crate::apart::{apart, run};
use crate::measure::{Contender, medians};
use crate::programs::Programs;
use crate::report::{Figure, Row};

/// How long the kernel may take for what nobody waits for: what one leaves is not to hit the next one,
/// and a namespace lives for a while before it goes.
const REST: Duration = Duration::from_millis(50);

pub fn measure(programs: &Programs) -> Result<Vec<Row>, String> {
    let tool = programs.tool();
    let floor = programs.floor("netns");
    apart(CloneFlags::CLONE_NEWNET, &["sh", "-c", "echo ready && exec sleep infinity"], || {
        run(&["mount", "-t", "tmpfs", "tmpfs", "/run"])?;
        files().map_err(|error| error.to_string())?;
        run(&["ip", "link", "set", "lo", "up"])?;
        let mut rows = one(&tool, &floor)?;
        rows.push(thousand(&tool)?);
        Ok(rows)
    })
}

const DESCRIPTION: &str = "\
[NetworkNamespace]
IPMasquerade=ipv4

[Veth]
Name=eth0
HostName=ve-blue
Address=10.200.0.2/24
HostAddress=10.200.0.1/24
Gateway=10.200.0.1
";
const OUTSIDE: &str = "\
netns add blue
link add ve-blue type veth peer name eth0 netns blue
addr add 10.200.0.1/24 dev ve-blue
link set ve-blue up
";
const INSIDE: &str = "\
link set lo up
addr add 10.200.0.2/24 dev eth0
link set eth0 up
route add default via 10.200.0.1
";
const NAT: &str = "\
add table inet blue
add chain inet blue postrouting { type nat hook postrouting priority srcnat; }
add rule inet blue postrouting ip saddr 10.200.0.0/24 masquerade
";
const GONE: &str = "\
link del ve-blue
netns del blue
";
const FORWARDING: &str = "/proc/sys/net/ipv4/conf/ve-blue/forwarding";

fn files() -> std::io::Result<()> {
    fs::create_dir_all("/run/unitcell")?;
    fs::create_dir_all("/run/netns")?;
    fs::write("/run/unitcell/blue.netns", DESCRIPTION)?;
    for (name, text) in [("outside", OUTSIDE), ("inside", INSIDE), ("nat", NAT), ("gone", GONE)] {
        fs::write(format!("/run/{name}"), text)?;
    }
    let lines = |verb: &str| (0..THOUSAND).map(|n| format!("netns {verb} n{n}\n")).collect::<String>();
    fs::write("/run/thousand", lines("add"))?;
    fs::write("/run/gone-thousand", lines("delete"))
}

fn one(tool: &str, floor: &str) -> Result<Vec<Row>, String> {
    let each = |contender: Contender, before: &[&str], lines: &'static str| {
        lines.lines().fold(contender, |contender, line| {
            let words: Vec<&str> = match before {
                // It takes its command in one word.
                ["nft"] => vec!["nft", line],
                _ => before.iter().copied().chain(line.split_whitespace()).collect(),
            };
            contender.then(&words)
        })
    };
    let mut commands = each(Contender::rested("commands of ip and nft, one each", REST), &["ip"], OUTSIDE);
    commands = each(commands, &["ip", "-n", "blue"], INSIDE).then_write(FORWARDING, "1");
    commands = each(commands, &["nft"], NAT).then_rest(REST).then(&["nft", "delete", "table", "inet", "blue"]);
    let mut contenders = [
        Contender::rested("unitcell", REST)
            .then(&[tool, "netns", "up", "blue"])
            .then_rest(REST)
            .then(&[tool, "netns", "down", "blue"]),
        each(commands, &["ip"], GONE),
        Contender::rested("ip -batch, nft -f", REST)
            .then(&["ip", "-batch", "/run/outside"])
            .then(&["ip", "-n", "blue", "-batch", "/run/inside"])
            .then_write(FORWARDING, "1")
            .then(&["nft", "-f", "/run/nat"])
            .then_rest(REST)
            .then(&["nft", "delete", "table", "inet", "blue"])
            .then(&["ip", "-batch", "/run/gone"]),
        Contender::rested("static C, all that waits waited for", REST)
            .then(&[floor, "up"])
            .then_rest(REST)
            .then(&[floor, "down"]),
    ];
    let times = medians(&mut contenders, 31)?;
    let rows = contenders.iter().zip(&times).skip(1).zip([Some(0.1), Some(0.35), None]);
    Ok(rows
        .map(|((contender, time), aim)| Row {
            what: ".netns up and down: veth, addresses, route, NAT".to_owned(),
            beside: contender.name.clone(),
            ours: Figure::Time(times[0]),
            theirs: Figure::Time(*time),
            aim,
        })
        .collect())
}

const THOUSAND: usize = 1000;

fn thousand(tool: &str) -> Result<Row, String> {
    // What is left of a thousand takes longer.
    let rest = 20 * REST;
    let names: Vec<String> = (0..THOUSAND).map(|n| format!("n{n}")).collect();
    let words =
        |verb| -> Vec<&str> { [tool, "netns", verb].into_iter().chain(names.iter().map(String::as_str)).collect() };
    let mut contenders = [
        Contender::rested("unitcell", rest).then(&words("up")).then(&words("down")),
        Contender::rested("ip -batch", rest).then(&["ip", "-batch", "/run/thousand"]).then(&[
            "ip",
            "-batch",
            "/run/gone-thousand",
        ]),
    ];
    let times = medians(&mut contenders, 7)?;
    Ok(Row {
        what: format!("{THOUSAND} network namespaces up and down"),
        beside: contenders[1].name.clone(),
        ours: Figure::Time(times[0]),
        theirs: Figure::Time(times[1]),
        aim: Some(0.5),
    })
}
