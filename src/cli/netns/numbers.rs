//! `unitcell netns set` and `list-id`: the numbers that network namespaces have for each other.

use std::os::fd::AsFd;

use serde::Serialize;

use super::names::{numbered, open};
use super::usage;
use crate::cli::Error;
use crate::cli::output::Output;
use crate::netlink::nsid::{self, Number};
use crate::netlink::{self, Socket};
use crate::netns::Places;

pub fn set(places: &Places, name: &str, number: &str) -> Result<(), Error> {
    let namespace = open(places, name)?;
    let number = if number == "auto" { nsid::NONE } else { parse(number)? };
    socket()?.carry_out(&[nsid::assign(namespace.as_fd(), number)]).map_err(Error::Netlink)
}

#[derive(Debug, Serialize)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    nsid: Option<i32>,
    #[serde(rename = "current-nsid", skip_serializing_if = "Option::is_none")]
    current: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// `words` are what comes after `list-id`: `target-nsid N`, `nsid N`.
pub fn list(places: &Places, words: &[String], output: &Output) -> Result<(), Error> {
    let (mut target, mut one) = (None, None);
    for pair in words.chunks(2) {
        let [key, value] = pair else { return Err(usage(format!("{} takes a number", pair[0]))) };
        match key.as_str() {
            "target-nsid" => target = Some(parse(value)?),
            "nsid" => one = Some(parse(value)?),
            _ => return Err(usage(format!("{key:?} is neither target-nsid nor nsid"))),
        }
    }
    let mut socket = socket()?;
    let numbers = match one {
        Some(one) => nsid::find(&mut socket, one, target).map(|number| vec![number]),
        None => nsid::list(&mut socket, target),
    };
    let names = numbered(places)?;
    let row = |Number { nsid, current }: Number| {
        // A name is known by the number that it has here.
        let known = current.unwrap_or(nsid);
        let name = names.iter().find(|named| named.id == Some(known)).map(|named| named.name.clone());
        Row { nsid: (nsid >= 0).then_some(nsid), current, name }
    };
    let told = |error| if one.is_some() { Error::Netlink(error) } else { Error::NetnsList(error.into()) };
    let rows: Vec<Row> = numbers.map_err(told)?.into_iter().map(row).collect();
    let line = |row: &Row| {
        let current = row.current.map(|current| format!("current-nsid {current} ")).unwrap_or_default();
        let name = row.name.as_ref().map(|name| format!("(iproute2 netns name: {name})")).unwrap_or_default();
        let nsid = row.nsid.map_or("unassigned".to_owned(), |nsid| nsid.to_string());
        format!("nsid {nsid} {current}{name}\n")
    };
    Ok(output.print(&rows, |rows| rows.iter().map(line).collect())?)
}

fn socket() -> Result<Socket, Error> {
    Socket::route().map_err(|error| Error::Netlink(netlink::Error::from(error)))
}

/// As strtol(3) with every base: hexadecimal after 0x, octal after 0.
fn parse(text: &str) -> Result<i32, Error> {
    let number = match text.strip_prefix('0') {
        Some(rest) if rest.starts_with(['x', 'X']) => i32::from_str_radix(&rest[1..], 16),
        Some(rest) if !rest.is_empty() => i32::from_str_radix(rest, 8),
        _ => text.parse(),
    };
    let number = number.ok().filter(|number| *number >= 0);
    number.ok_or_else(|| usage(format!("{text:?} is no number of a network namespace: those are 0 and above")))
}
