//! The points that the sources name.

use std::{collections::BTreeMap, path::Path};

/// Every point of the layer `channel`, with how many places it has there.
pub(crate) fn points() -> BTreeMap<String, usize> {
    let mut places = BTreeMap::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/channel"), &mut places);
    places
}

fn collect(path: &Path, places: &mut BTreeMap<String, usize>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a directory of the sources") {
            collect(&entry.expect("an entry").path(), places);
        }
        return;
    }
    if path.extension().is_some_and(|extension| extension == "rs") {
        let source = std::fs::read_to_string(path).expect("a source");
        for after in source.split("fault::point(\"").skip(1) {
            let name = after.split('"').next().expect("the rest").to_owned();
            *places.entry(name).or_insert(0) += 1;
        }
    }
}
