//! The pictures of the book are drawn from texts: diagrams from `book/figures/*.fig`, plots from the recorded output of the benches. Here they are drawn
//! once more and compared; `PSYNC_GOLDEN=write cargo test --test figures` writes them.

#[path = "figures/diagram.rs"]
mod diagram;
#[path = "figures/plot.rs"]
mod plot;
mod repo;
#[path = "figures/svg.rs"]
mod svg;

use std::{fs, path::Path};

const DRAWN: &str = "book/src/figures";

/// Compares what was drawn with what is there, or writes it.
fn check(name: &str, drawn: &str) {
    let path = Path::new(DRAWN).join(name).with_extension("svg");
    if std::env::var_os("PSYNC_GOLDEN").is_some_and(|value| value == "write") {
        fs::create_dir_all(repo::root().join(DRAWN)).expect("a directory");
        fs::write(repo::root().join(&path), drawn).expect("the picture can be written");
        return;
    }
    assert!(
        repo::read(&path) == drawn,
        "{} is not what its source says; PSYNC_GOLDEN=write draws it",
        path.display()
    );
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[test]
fn diagrams_are_as_their_sources_say() {
    for path in repo::files("book/figures", &[".fig"]) {
        let drawn = diagram::draw(&repo::read(&path)).unwrap_or_else(|wrong| {
            panic!("{}: {wrong}", path.display());
        });
        check(&stem(&path), &drawn);
    }
}

#[test]
fn plots_are_as_the_benches_said() {
    for path in repo::files("book/figures", &[".plot"]) {
        let drawn =
            plot::draw(&repo::read(&path), |file| repo::read(file)).unwrap_or_else(|wrong| {
                panic!("{}: {wrong}", path.display());
            });
        check(&stem(&path), &drawn);
    }
}

#[test]
fn every_picture_has_a_source() {
    let stems = |below: &str, endings: &[&str]| {
        let mut stems: Vec<String> = repo::files(below, endings).iter().map(|p| stem(p)).collect();
        stems.sort();
        stems
    };
    assert_eq!(stems("book/figures", &[".fig", ".plot"]), stems(DRAWN, &[".svg"]));
}

#[test]
fn a_mistake_in_a_source_names_its_line() {
    let wrong = |text: &str| diagram::draw(text).expect_err("it is wrong");
    assert_eq!(wrong("size 10 10\nbox a 1 2 3 x\narrow a b"), "line 3: there is no `b`");
    assert_eq!(wrong("size 10 10\nblob a"), "line 2: no kind of thing: `blob`");
    assert_eq!(wrong("box a 1 2 3 x"), "no size");
}
