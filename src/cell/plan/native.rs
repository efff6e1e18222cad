//! What of a service's cell systemd is told, by its own settings.

use super::Plan;
use super::service::Planner;
use crate::cell::finding::Finding;
use crate::cell::native::native_line;
use crate::cell::{Kind, Maker, Source, netns_owner, resolver, run_directory};

impl Planner<'_> {
    pub(super) fn native_lines(&self, plan: &mut Plan) {
        for kind in Kind::ALL {
            if self.makers.of(kind) == Some(Maker::Native)
                && let Some(line) = native_line(self.cell, kind)
            {
                plan.service_lines.push(line);
            }
        }
        plan.service_lines.extend(run_directory::lines(self.unit, self.cell, &self.makers));
        plan.service_lines.extend(self.adopted.iter().cloned());
        if let Some(of) = self.cell.neighbour() {
            if of.unit == self.unit.name.as_str() {
                plan.findings.push(Finding::error(
                    self.cell.location("NamespacesOf"),
                    format!("NamespacesOf={} names the unit itself", of.unit),
                    "name another unit",
                ));
            }
            // A service must not live on in what a unit has left, nor beside its next run.
            plan.unit_lines.extend([("BindsTo", of.unit.clone()), ("After", of.unit)]);
        }
        let Some(name) = &self.cell.network_namespace else { return };
        if !self.cell.held {
            let owner = netns_owner(name);
            plan.unit_lines.extend([("BindsTo", owner.clone()), ("After", owner)]);
            plan.service_lines.extend(resolver::lines(name));
        }
        if self.cell.source(Kind::Mount).is_some_and(|source| matches!(source, Source::Path(_))) {
            plan.findings.push(Finding::warning(
                self.cell.location("MountNamespacePath"),
                "MountNamespacePath= brings its own resolv.conf, hosts and nsswitch.conf, not those of NetworkNamespace=",
                "see that they name servers that the network namespace can reach",
            ));
        }
    }
}
