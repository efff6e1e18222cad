//! What tutorials on namespaces have one type, with our tools in the place of the classic ones.

use super::cases;
use crate::case::Case;
use crate::classic;

cases![
    tutorials_work_as_with_the_classic_ones,
    tutorials_on_named_networks_work_with_ours,
    tutorials_that_list_namespaces_work_with_ours: alone,
];

fn tutorials_work_as_with_the_classic_ones(case: &Case) {
    classic::run(case, include_str!("../classic/tutorial.txt"));
}

fn tutorials_on_named_networks_work_with_ours(case: &Case) {
    classic::run(case, include_str!("../classic/netns.txt"));
}

fn tutorials_that_list_namespaces_work_with_ours(case: &Case) {
    classic::run(case, include_str!("../classic/lsns.txt"));
    classic::has_all_options(case, "lsns");
}
