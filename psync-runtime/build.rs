//! Nothing to build: Cargo asks for a build script wherever a package claims a `links` key.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
