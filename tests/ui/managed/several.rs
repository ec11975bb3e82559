//! Several mistakes are told together.

use psync::managed;

struct Account {
    name: String,
}

#[managed]
impl Account {
    pub fn close(self) {}

    pub fn name(&self) -> &str {
        &self.name
    }

    pub async fn rename(&mut self, name: &mut String) {
        self.name = name.clone();
    }
}

fn main() {}
