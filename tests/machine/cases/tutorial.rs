//! What tutorials on namespaces have one type, with our tools in the place of the classic ones.

use super::cases;
use crate::case::Case;
use crate::classic;

cases![tutorials_work_as_with_the_classic_ones];

fn tutorials_work_as_with_the_classic_ones(case: &Case) {
    classic::run(case, include_str!("../classic/tutorial.txt"));
}
