//! `unitcell netns add`: a plain network namespace as `ip` makes it, or the everyday one.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

use super::lifecycle::valid;
use super::{failed, valid_for_ip};
use crate::cli::Error;
use crate::cli::output::Output;
use crate::netns::sketch::{self, Sketch};
use crate::netns::{self, Places, plain, words};

/// What is to be in it. With none of these it is as `ip netns add` makes it: lo alone, and that down.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Its name, as in /run/netns
    name: String,
    /// Connect it to the host by a pair of links; the addresses are chosen
    #[arg(long)]
    veth: bool,
    /// Send what leaves the host from the host's address
    #[arg(long)]
    nat: bool,
    /// An address for its eth0
    #[arg(long, value_name = "ADDRESS/LENGTH")]
    address: Vec<IpNet>,
    /// An address for the host's end, which is the gateway; by default the network's first that is free
    #[arg(long, value_name = "ADDRESS/LENGTH")]
    host_address: Vec<IpNet>,
    /// Connect it to this bridge, which is made if it is missing
    #[arg(long, value_name = "NAME")]
    bridge: Option<String>,
    /// A name server
    #[arg(long, value_name = "ADDRESS")]
    dns: Vec<IpAddr>,
}

#[derive(Debug, Serialize)]
struct Added {
    name: String,
    path: String,
    file: String,
    commands: Vec<String>,
}

impl Add {
    pub fn run(self, places: &Places, output: &Output) -> Result<(), Error> {
        let Add { name, veth, nat, address: addresses, host_address: host_addresses, bridge, dns } = self;
        let sketch = Sketch { veth, nat, addresses, host_addresses, bridge, dns };
        if sketch.is_empty() {
            return plain::add(places, valid_for_ip(&name)?).map_err(failed(&name));
        }
        // It is the instance of a unit as well.
        let name = valid(name)?;
        let added = everyday(places, &name, &sketch).map_err(failed(&name))?;
        Ok(output.print(&added, text)?)
    }
}

fn everyday(places: &Places, name: &str, sketch: &Sketch) -> Result<Added, netns::Error> {
    plain::refuse_taken(places, name)?;
    let file = sketch.write(places, name)?;
    let made = netns::up(places, &[name.to_owned()], &mut |_| {})
        .and_then(|outcomes| outcomes.into_iter().collect::<Result<Vec<_>, _>>())
        .and_then(|_| words::commands(places, name));
    match made {
        Ok(commands) => Ok(Added {
            name: name.to_owned(),
            path: places.pin(name).display().to_string(),
            file: file.display().to_string(),
            commands,
        }),
        Err(error) => {
            // The reason counts, not what comes of it.
            let _ = sketch::remove(places, name);
            Err(error)
        }
    }
}

fn text(added: &Added) -> String {
    let Added { name, path, file, commands } = added;
    let commands: String = commands.iter().map(|command| format!("    {command}\n")).collect();
    format!(
        "Network namespace {name} is up, at {path}, as {file} describes it. By hand that would be\n\n{commands}\n\
         `unitcell netns exec {name} COMMAND` runs a command in it, `NetworkNamespace={name}` a service;\n\
         `unitcell netns delete {name}` takes all of it back.\n"
    )
}
