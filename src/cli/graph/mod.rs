//! `unitcell graph`: units, namespaces and links as a picture.

mod dot;
mod group;
mod layout;
mod mermaid;
mod natural;
mod svg;

use std::process::ExitCode;

use super::Error;
use super::output::Output;
use super::subject::unit_name;
use crate::inspect::topology::Topology;

/// Draw units, the namespaces that they have and share, and how their networks hang together
///
/// Namespaces that one unit has for itself alone are named on the unit; those that several share are
/// drawn. The host's own are not drawn, but for its network.
#[derive(Debug, clap::Args)]
pub struct Graph {
    /// Draw only these units, and who shares namespaces with them
    #[arg(value_name = "UNIT")]
    units: Vec<String>,
    /// The language of the picture
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Dot)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For graphviz
    Dot,
    /// A picture that browsers show as it is
    Svg,
    /// For Markdown
    Mermaid,
}

impl Graph {
    pub fn run(self, output: &Output) -> Result<ExitCode, Error> {
        let names: Vec<String> =
            self.units.iter().map(|text| unit_name(text).map(|name| name.to_string())).collect::<Result<_, _>>()?;
        let topology = Topology::of_machine().map_err(Error::Proc)?;
        if let Some(missing) = names.iter().find(|name| topology.units.iter().all(|unit| unit.name != **name)) {
            return Err(Error::NothingToDraw(missing.clone()));
        }
        let topology = topology.around(&names);
        output.print(&topology, |topology| match self.format {
            Format::Dot => dot::render(topology),
            Format::Svg => svg::render(&layout::lay_out(topology)),
            Format::Mermaid => mermaid::render(topology),
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests;
